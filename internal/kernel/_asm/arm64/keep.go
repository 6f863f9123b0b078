package main

import "fmt"

// keep draws words of dropout masks, each from eight blocks of Philox4x32-10, one in each lane of two vectors.
func (f *file) keep() {
	f.text("keepSIMD", "words *uint64, count int, counter *[4]uint32, key *[2]uint32, threshold uint32", 0)
	p := f.load("words", "count", "counter", "key")
	words, left, counter, key := p[0], p[1], p[2], p[3]
	r, rounds := f.gp(), f.gp()
	spread := func(to vec, from string) {
		f.op("MOVWU", from, r)
		f.op("VDUP", r, to)
	}
	number := func(n uint32) vec {
		to := f.vec()
		f.op("MOVD", fmt.Sprintf("$0x%08x", n), r)
		f.op("VDUP", r, to)
		return to
	}
	factor := [2]vec{number(0xD2511F53), number(0xCD9E8D57)}
	step := [2]vec{number(0x9E3779B9), number(0xBB67AE85)}
	eight := number(8)
	threshold := f.vec()
	f.op("MOVWU", f.parameter("threshold"), r)
	f.op("VDUP", r, threshold.halves())
	var own [4]vec // bits of the low and the high half of word j of a block
	for j := range own {
		own[j] = number(1<<(2*j) | 2<<(2*j)<<16)
	}
	blocks, keys := f.vecs(2), f.vecs(2)
	f.op("MOVWU", at(counter, 0), r)
	for i := range 8 {
		f.op("VMOV", r, blocks[i/4].lane(i%4))
		f.op("ADDW", imm(1), r)
	}
	c := [2][]vec{f.vecs(4), f.vecs(4)}

	f.label("word")
	for i, k := range keys {
		spread(k, at(key, 4*i))
	}
	for g := range c {
		f.copy(c[g][0], blocks[g])
		f.op("VADD", eight, blocks[g], blocks[g])
		for i := 1; i < 4; i++ {
			spread(c[g][i], at(counter, 4*i))
		}
	}
	f.op("MOVD", imm(10), rounds)
	f.label("round")
	for _, c := range c {
		f.scoped(func() {
			low0, high0 := f.products(c[0], factor[0])
			low1, high1 := f.products(c[2], factor[1])
			f.xor(c[0], c[1], high1)
			f.xor(c[0], c[0], keys[0])
			f.xor(c[2], c[3], high0)
			f.xor(c[2], c[2], keys[1])
			f.copy(c[1], low1)
			f.copy(c[3], low0)
		})
	}
	for i, k := range keys {
		f.op("VADD", step[i], k, k)
	}
	f.op("SUBS", imm(1), rounds)
	f.op("BNE", "round")

	// A draw of 16 bits keeps where it is not below the threshold.
	for _, c := range c {
		for j, v := range c {
			f.three(0x6e603c00, "cmhs", "8h", v, v, threshold)
			f.op("VAND", own[j].bytes(), v.bytes(), v.bytes())
			if j > 0 {
				f.op("VORR", v.bytes(), c[0].bytes(), c[0].bytes())
			}
		}
		f.op("VUSHR", imm(16), c[0], c[1])
		f.op("VORR", c[1].bytes(), c[0].bytes(), c[0].bytes())
	}
	all := c[0][0] // the lowest byte of each lane
	f.op("VUZP1", c[1][0].halves(), all.halves(), all.halves())
	f.op("VUZP1", all.bytes(), all.bytes(), all.bytes())
	f.op("VMOV", fmt.Sprintf("V%d.D[0]", int(all)), r)
	f.op("MOVD.P", r, at(words, 8))
	f.op("SUBS", imm(1), left)
	f.op("BNE", "word")
	f.op("RET")
}

// products returns the lower and the upper halves of the products of integers.
func (f *file) products(a, b vec) (low, high vec) {
	low, high = f.vec(), f.vec()
	f.scoped(func() {
		first, second := f.vec(), f.vec()
		f.word(0x2ea0c000|uint32(b)<<16|uint32(a)<<5|uint32(first), "umull v%d.2d, v%d.2s, v%d.2s", first, a, b)
		f.word(0x6ea0c000|uint32(b)<<16|uint32(a)<<5|uint32(second), "umull2 v%d.2d, v%d.4s, v%d.4s", second, a, b)
		f.op("VUZP1", second, first, low)
		f.op("VUZP2", second, first, high)
	})
	return low, high
}

func (f *file) xor(to, a, b vec) { f.op("VEOR", a.bytes(), b.bytes(), to.bytes()) }
