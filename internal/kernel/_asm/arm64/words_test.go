package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestWords has GNU's assembler encode what the comments behind the words say.
func TestWords(t *testing.T) {
	const tools = "aarch64-linux-gnu-"
	if _, err := exec.LookPath(tools + "as"); err != nil {
		t.Skip("no " + tools + "as; Debian's binutils-aarch64-linux-gnu has it")
	}
	assembly, err := os.ReadFile("../../kernel_arm64.s")
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`WORD \$0x(.{8}) // (.*)`).FindAllSubmatch(assembly, -1)
	var source bytes.Buffer
	for _, w := range words {
		source.WriteString("\t" + string(w[2]) + "\n")
	}
	object := filepath.Join(t.TempDir(), "words.o")
	as := exec.Command(tools+"as", "-o", object, "-")
	as.Stdin = &source
	if text, err := as.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	text, err := exec.Command(tools+"objdump", "-d", object).Output()
	if err != nil {
		t.Fatal(err)
	}
	encoded := regexp.MustCompile(`(?m)^ +[0-9a-f]+:\t([0-9a-f]{8}) \t(.*)$`).FindAllSubmatch(text, -1)
	if len(words) == 0 || len(encoded) != len(words) {
		t.Fatalf("%d words, of which the assembler made %d", len(words), len(encoded))
	}
	for i, w := range words {
		if !bytes.Equal(encoded[i][1], w[1]) {
			t.Errorf("%s is %s, not %s", w[2], encoded[i][1], w[1])
		}
	}
}
