package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// keep draws words of dropout masks, a word from eight blocks of Philox4x32-10 at a time, one in each lane.
func keep() {
	TEXT("keepSIMD", NOSPLIT, "func(words *uint64, count int, counter *[4]uint32, key *[2]uint32, threshold uint32)")
	Pragma("noescape")
	words := Load(Param("words"), GP64())
	left := Load(Param("count"), GP64())
	counter := Load(Param("counter"), GP64())
	key := Load(Param("key"), GP64())

	numbers := GLOBL("keepnumbers", RODATA|NOPTR)
	for i := 0; i < 8; i++ {
		DATA(4*i, U32(i))
	}
	for j := 0; j < 4; j++ { // bits of the low and the high half of word j of a block
		DATA(32+4*j, U32(1<<(2*j)|2<<(2*j)<<16))
	}
	for j, n := range []uint32{0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85, 8, 0xff} {
		DATA(48+4*j, U32(n))
	}
	number := func(j int) Op { return numbers.Offset(48 + 4*j) }
	spread := func(from Op) reg.VecVirtual {
		to := YMM()
		VPBROADCASTD(from, to)
		return to
	}
	block := spread(Mem{Base: counter})
	VPADDD(numbers, block, block)
	threshold := YMM()
	VMOVD(Load(Param("threshold"), GP32()), threshold.AsX())
	VPBROADCASTW(threshold.AsX(), threshold)
	factor0, factor1 := spread(number(0)), spread(number(1))

	multiply := func(factor, x reg.VecVirtual) (hi, lo reg.VecVirtual) {
		even, odd := YMM(), YMM()
		hi, lo = YMM(), YMM()
		VPMULUDQ(factor, x, even)
		VPSRLQ(Imm(32), x, odd)
		VPMULUDQ(factor, odd, odd)
		VPSLLQ(Imm(32), odd, lo)
		VPBLENDD(Imm(0xaa), lo, even, lo)
		VPSRLQ(Imm(32), even, hi)
		VPBLENDD(Imm(0xaa), odd, hi, hi)
		return hi, lo
	}

	Label("word")
	c0 := YMM()
	VMOVDQA(block, c0)
	c1, c2, c3 := spread(Mem{Base: counter, Disp: 4}), spread(Mem{Base: counter, Disp: 8}), spread(Mem{Base: counter, Disp: 12})
	k0, k1 := spread(Mem{Base: key}), spread(Mem{Base: key, Disp: 4})
	rounds := GP64()
	MOVQ(U32(10), rounds)
	Label("round")
	hi0, lo0 := multiply(factor0, c0)
	hi1, lo1 := multiply(factor1, c2)
	VPXOR(hi1, c1, c0)
	VPXOR(k0, c0, c0)
	VPXOR(hi0, c3, c2)
	VPXOR(k1, c2, c2)
	VMOVDQA(lo1, c1)
	VMOVDQA(lo0, c3)
	step := YMM()
	VPBROADCASTD(number(2), step)
	VPADDD(step, k0, k0)
	VPBROADCASTD(number(3), step)
	VPADDD(step, k1, k1)
	DECQ(rounds)
	JNZ(LabelRef("round"))

	// A draw of 16 bits keeps where it is not below the threshold, that is, where the larger of both is itself.
	bits := YMM()
	VPXOR(bits, bits, bits)
	for j, c := range []reg.VecVirtual{c0, c1, c2, c3} {
		larger, bit := YMM(), YMM()
		VPMAXUW(threshold, c, larger)
		VPCMPEQW(larger, c, larger)
		VPBROADCASTD(numbers.Offset(32+4*j), bit)
		VPAND(bit, larger, larger)
		VPOR(larger, bits, bits)
	}
	high := YMM()
	VPSRLD(Imm(16), bits, high)
	VPOR(high, bits, bits)
	byteMask := spread(number(5))
	VPAND(byteMask, bits, bits)
	VPACKUSDW(bits, bits, bits)
	VPACKUSWB(bits, bits, bits)
	upper := XMM()
	VEXTRACTI128(Imm(1), bits, upper)
	low32, high32 := GP32(), GP32()
	VMOVD(bits.AsX(), low32)
	VMOVD(upper, high32)
	SHLQ(Imm(32), high32.As64())
	ORQ(high32.As64(), low32.As64())
	MOVQ(low32.As64(), Mem{Base: words})
	eight := spread(number(4))
	VPADDD(eight, block, block)
	ADDQ(Imm(8), words)
	DECQ(left)
	JNZ(LabelRef("word"))
	VZEROUPPER()
	RET()
}

// keepWide is keep with vectors of sixteen lanes, two words at a time; count is even.
func keepWide() {
	TEXT("keepAVX512", NOSPLIT, "func(words *uint64, count int, counter *[4]uint32, key *[2]uint32, threshold uint32)")
	Pragma("noescape")
	p := pointers("words", "counter", "key")
	left := Load(Param("count"), GP64())
	table := GLOBL("keepwide", RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U32(i))
	}
	spread := func(from Op) vec {
		to := ZMM()
		VPBROADCASTD(from, to)
		return to
	}
	number := func(n uint32) vec {
		r := GP32()
		MOVL(U32(n), r)
		return spread(r)
	}
	block := spread(Mem{Base: p[1]})
	VPADDD(table, block, block)
	sixteen := number(16)
	factors, steps := [2]vec{number(0xD2511F53), number(0xCD9E8D57)}, [2]vec{number(0x9E3779B9), number(0xBB67AE85)}
	threshold := spread(Load(Param("threshold"), GP32()))
	VPSLLD(Imm(16), threshold, threshold)
	var own [8]vec
	for i := range own {
		own[i] = number(1 << i)
	}
	odd := K()
	r := GP32()
	MOVL(U32(0xaaaa), r)
	KMOVW(r, odd)

	multiply := func(factor, x vec) (high, low vec) {
		low, high = ZMM(), ZMM()
		upper := ZMM()
		VMOVSHDUP(x, upper)
		VPMULUDQ(factor, x, low)
		VPMULUDQ(factor, upper, upper)
		VMOVSHDUP(low, high)
		VMOVDQA32(upper, odd, high)
		VMOVSLDUP(upper, odd, low)
		return high, low
	}

	Label("words")
	c0, c1, c2, c3 := ZMM(), spread(Mem{Base: p[1], Disp: 4}), spread(Mem{Base: p[1], Disp: 8}), spread(Mem{Base: p[1], Disp: 12})
	VMOVDQA32(block, c0)
	VPADDD(sixteen, block, block)
	k0, k1 := spread(Mem{Base: p[2]}), spread(Mem{Base: p[2], Disp: 4})
	rounds := GP64()
	MOVQ(U32(10), rounds)
	Label("round")
	high0, low0 := multiply(factors[0], c0)
	high1, low1 := multiply(factors[1], c2)
	VPXORD(k0, c1, c0)
	VPXORD(high1, c0, c0)
	VPXORD(k1, c3, c2)
	VPXORD(high0, c2, c2)
	VMOVDQA32(low1, c1)
	VMOVDQA32(low0, c3)
	VPADDD(steps[0], k0, k0)
	VPADDD(steps[1], k1, k1)
	DECQ(rounds)
	JNZ(LabelRef("round"))

	// A draw is held against the threshold in the upper halves of both; the upper draw of a word is there, and what is
	// below it decides nothing.
	const notLess = 5
	bits, lower := ZMM(), ZMM()
	VPXORD(bits, bits, bits)
	for j, c := range []vec{c0, c1, c2, c3} {
		kept := [2]reg.OpmaskVirtual{K(), K()}
		VPSLLD(Imm(16), c, lower)
		VPCMPUD(Imm(notLess), threshold, lower, kept[0])
		VPCMPUD(Imm(notLess), threshold, c, kept[1])
		for i, k := range kept {
			VPORD(own[2*j+i], bits, k, bits)
		}
	}
	VPMOVDB(bits, Mem{Base: p[0]})
	ADDQ(Imm(16), p[0])
	SUBQ(Imm(2), left)
	JG(LabelRef("words"))
	VZEROUPPER()
	RET()
}
