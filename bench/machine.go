package main

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// processor names this machine's processor. Virtual machines often hide the model, so its numbers go with it.
func processor() string {
	name := cpuinfo("model name")
	if name == "" {
		if out, err := exec.Command("sysctl", "-n", "machdep.cpu.brand_string").Output(); err == nil {
			return strings.TrimSpace(string(out))
		}
		return runtime.GOOS + "/" + runtime.GOARCH
	}
	return name + " (family " + cpuinfo("cpu family") + ", model " + cpuinfo("model") + ")"
}

// widest names the widest instruction set that matters here and that the processor has.
func widest() string {
	flags := strings.Fields(cpuinfo("flags"))
	has := map[string]bool{}
	for _, f := range flags {
		has[f] = true
	}
	switch {
	case has["avx512f"]:
		return "avx512"
	case has["avx2"]:
		return "avx2"
	}
	return runtime.GOARCH
}

// cpuinfo returns the first value of a key that Linux tells about the processor, "" elsewhere.
func cpuinfo(key string) string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
