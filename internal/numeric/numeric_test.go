package numeric

import (
	"math"
	"testing"
)

func TestAgainstMath(t *testing.T) {
	check := func(name string, x, got, want, relative float64) {
		t.Helper()
		if math.Abs(got-want) > relative*math.Abs(want) {
			t.Errorf("%s(%g) = %.17g, want %.17g", name, x, got, want)
		}
	}
	for i := -7000; i <= 7000; i++ {
		x := float64(i) / 10.01
		check("Exp", x, Exp(x), math.Exp(x), 4e-16)
		check("Tanh", x/300, Tanh(x/300), math.Tanh(x/300), 1e-11)
		check("Sigmoid", x/10, Sigmoid(x/10), 1/(1+math.Exp(-x/10)), 1e-15)
		y := math.Abs(x) / 700
		check("Log1p", y, Log1p(y), math.Log1p(y), 1e-15)
	}
	for _, x := range []float64{0, 1e-12, -1e-7, 9.9e-5, 1.01e-4, 20, -20, 400} {
		check("Tanh", x, Tanh(x), math.Tanh(x), 1e-11)
	}
	if Exp(-800) != 0 || !math.IsInf(Exp(800), 1) || !math.IsNaN(Exp(math.NaN())) || Log1p(0) != 0 {
		t.Error("a limit is wrong")
	}
}
