package kernel

// Both lines stand here because go generate passes over files of another architecture.
//go:generate sh -c "cd _asm && go run . -out ../kernel_amd64.s -stubs ../stubs_amd64.go -pkg kernel"
//go:generate sh -c "cd _asm && go run ./arm64 -out ../kernel_arm64.s -stubs ../stubs_arm64.go"
