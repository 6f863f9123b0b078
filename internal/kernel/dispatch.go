package kernel

import (
	"fmt"
	"os"
	"strings"
)

// Variants is every variant that this machine can run, the fastest last.
var Variants = []Set{Generic}

// Variable is the environment variable that chooses a variant by name.
const Variable = "DCGAN_KERNEL"

// Choose returns the variant that the environment asks for, or the fastest.
func Choose() (*Set, error) {
	name := os.Getenv(Variable)
	if name == "" {
		return &Variants[len(Variants)-1], nil
	}
	names := make([]string, len(Variants))
	for i := range Variants {
		if Variants[i].Name == name {
			return &Variants[i], nil
		}
		names[i] = Variants[i].Name
	}
	return nil, fmt.Errorf("%s=%s: this machine has %s", Variable, name, strings.Join(names, ", "))
}
