package kernel

// Each architecture's assembly has a generator of its own; go generate looks into files of this machine's architecture
// alone, and so arm64's is named here.
//go:generate sh -c "cd _asm && go run ./arm64 -out ../kernel_arm64.s -stubs ../stubs_arm64.go"
