package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tanh computes the hyperbolic tangent of eight values at a time, in float64, by the operations of package numeric one by
// one.
func tanh() {
	TEXT("tanhAVX512", NOSPLIT, "func(y *float32, n int)")
	Pragma("noescape")
	p, left := Load(Param("y"), GP64()), Load(Param("n"), GP64())
	all := func(bits uint64) reg.VecVirtual {
		r, x, v := GP64(), XMM(), ZMM()
		MOVQ(U64(bits), r)
		VMOVQ(r, x)
		VPBROADCASTQ(x, v)
		return v
	}
	number := func(n float64) reg.VecVirtual { return all(math.Float64bits(n)) }
	op := func(f func(...Op), a, b Op) reg.VecVirtual {
		v := ZMM()
		f(b, a, v) // the assembler's order
		return v
	}
	const ln2High, ln2Low = 6.93147180369123816490e-01, 1.90821492927058770002e-10
	log2E, high, low := number(1.44269504088896338700e+00), number(ln2High), number(ln2Low)
	one, three, minusTwo := number(1), number(3), number(-2)
	// e^least is lost beside 1 and its exponent is still one of a normal number.
	least, small := number(-700), number(1e-4)
	unsigned, bias := all(1<<63-1), number(1<<52+1<<51+1023)
	series := []reg.VecVirtual{} // of the exponential function, from its end to what follows 1/2 · r²
	for _, n := range []float64{6227020800, 479001600, 39916800, 3628800, 362880, 40320, 5040, 720, 120, 24, 6, 2} {
		series = append(series, number(1/n))
	}
	Label("values")
	x := ZMM()
	VCVTPS2PD(Mem{Base: p}, x)
	size := op(VPANDQ, x, unsigned)
	t := op(VMULPD, size, minusTwo)
	t = op(VMAXPD, least, t) // the second where one is NaN
	k := ZMM()
	VRNDSCALEPD(Imm(8), op(VMULPD, t, log2E), k)
	r := op(VSUBPD, op(VSUBPD, t, op(VMULPD, k, high)), op(VMULPD, k, low))
	sum := series[0]
	for _, term := range append(series[1:len(series):len(series)], one, one) {
		sum = op(VADDPD, op(VMULPD, sum, r), term)
	}
	power := op(VADDPD, k, bias) // whose lowest bits are an exponent
	VPSLLQ(Imm(52), power, power)
	e := op(VMULPD, sum, power)
	result := op(VDIVPD, op(VSUBPD, one, e), op(VADDPD, one, e))
	result = op(VPORQ, result, op(VPXORQ, x, size)) // with x's sign
	cube := op(VMULPD, op(VMULPD, x, x), x)
	near := op(VSUBPD, x, op(VDIVPD, cube, three))
	mask := K()
	VCMPPD(Imm(lessOrdered), small, size, mask)
	VBLENDMPD(near, result, mask, result)
	y := YMM()
	VCVTPD2PS(result, y)
	VMOVUPS(y, Mem{Base: p})
	ADDQ(Imm(32), p)
	SUBQ(Imm(8), left)
	JG(LabelRef("values"))
	VZEROUPPER()
	RET()
}
