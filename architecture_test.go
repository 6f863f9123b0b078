package dcgan_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the name of the module and of its root package.
const module = "dcgan"

// allowed says what each package may import beside the standard library: packages of this module by their path, and
// other modules' by any part of the path's beginning. Imports point one way, from what is low to what is high, and
// what a package does not need to know stays off its list.
var allowed = map[string][]string{
	// Numbers. They know nothing of networks.
	"internal/numeric": {},
	"internal/random":  {"internal/numeric"},
	"internal/kernel":  {"internal/numeric", "internal/random", "golang.org/x/sys/cpu", "golang.org/x/sys/unix"},

	// What a user gives, and what networks are.
	"internal/input": {},
	"config":         {"internal/input"},
	"arch":           {"config", "internal/input"},

	// Networks with weights, and what other systems call them.
	"model": {"arch"},
	"exchange": {"arch", "checkpoint", "config", "format/hdf5", "format/keras", "format/onnx", "format/safetensors",
		"internal/input", "model"},

	// Data, files and pictures, which know no training.
	"dataset":            {"internal/input"},
	"format/hdf5":        {"internal/input"},
	"format/keras":       {"arch", "format/hdf5", "internal/input", "model"},
	"format/npy":         {"internal/input"},
	"format/onnx":        {"internal/input", "google.golang.org/protobuf/encoding/protowire"},
	"format/safetensors": {"internal/input"},
	"format/tensorboard": {"internal/input", "google.golang.org/protobuf/encoding/protowire"},
	"run":                {"internal/input", "github.com/gofrs/flock"},
	"picture":            {"golang.org/x/image", "gonum.org/v1/plot"},

	// Training.
	"internal/engine": {"arch", "internal/input", "internal/kernel", "internal/numeric", "internal/random"},
	"checkpoint":      {"arch", "config", "format/safetensors", "internal/input", "model"},
	"divergence":      {"config"},
	"train": {"arch", "checkpoint", "config", "dataset", "format/safetensors", "internal/engine", "internal/kernel",
		"internal/random", "model"},
	"internal/measure": {"arch", "config", "dataset", "internal/engine", "internal/kernel", "internal/random", "train"},

	// What others use: the library, and the command line on top of it.
	module: {"arch", "checkpoint", "config", "dataset", "divergence", "exchange", "format/tensorboard", "internal/engine",
		"internal/input", "internal/kernel", "internal/measure", "internal/numeric", "internal/random", "model", "picture", "run",
		"train", "golang.org/x/sys/unix", "github.com/KimMachineGun/automemlimit/memlimit"},
	"cmd/dcgan": {module, "arch", "config", "format/npy", "internal/input", "picture",
		"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/sys", "golang.org/x/term"},

	// For tests alone.
	"internal/golden": {"format/npy"},
	"internal/fault":  {"run"},
}

// packages returns the imports of every package of the module, tests apart, under all build tags.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			_, module := os.Stat(filepath.Join(path, "go.mod"))
			if path != "." && (module == nil || name == "testdata" || path == "bench" || name[0] == '.' || name[0] == '_') {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		if dir == "." {
			dir = module
		}
		all[dir] = append(all[dir], []string{}...)
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			all[dir] = append(all[dir], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestImportDirections holds every import against the table above.
func TestImportDirections(t *testing.T) {
	all := packages(t)
	for dir, imports := range all {
		list, ok := allowed[dir]
		if !ok {
			t.Errorf("package %s is not in the table of allowed imports", dir)
			continue
		}
		for _, path := range imports {
			if path == "C" {
				t.Errorf("%s uses cgo", dir)
			}
			first, _, _ := strings.Cut(path, "/")
			ours := first == module
			if !ours && !strings.Contains(first, ".") {
				continue // the standard library
			}
			path = strings.TrimPrefix(path, module+"/")
			if !slices.ContainsFunc(list, func(entry string) bool {
				return path == entry || !ours && strings.HasPrefix(path, entry+"/")
			}) {
				t.Errorf("%s may not import %s", dir, path)
			}
		}
	}
	for dir := range allowed {
		if _, ok := all[dir]; !ok {
			t.Errorf("the table has %s, which is no package", dir)
		}
	}
}

// TestDirectionsHaveNoCircle sorts the table itself: from every package only lower ones can be reached, and training from
// none of those that read and write data.
func TestDirectionsHaveNoCircle(t *testing.T) {
	reached := map[string]map[string]bool{}
	var reach func(dir string, above []string) map[string]bool
	reach = func(dir string, above []string) map[string]bool {
		if slices.Contains(above, dir) {
			t.Fatalf("a circle: %v", append(above, dir))
		}
		if reached[dir] == nil {
			below := map[string]bool{}
			for _, entry := range allowed[dir] {
				if _, ours := allowed[entry]; !ours {
					continue
				}
				below[entry] = true
				for deeper := range reach(entry, append(above, dir)) {
					below[deeper] = true
				}
			}
			reached[dir] = below
		}
		return reached[dir]
	}
	for dir := range allowed {
		below := reach(dir, nil)
		for _, training := range []string{"internal/engine", "internal/kernel", "train", module} {
			if below[training] && !slices.Contains([]string{"internal/engine", "train", "internal/measure", module, "cmd/dcgan"}, dir) {
				t.Errorf("%s reaches %s", dir, training)
			}
		}
	}
}

// TestArchitecturePage holds the packages that docs/architecture.md lists, in the first column of a table, against those
// that there are.
func TestArchitecturePage(t *testing.T) {
	page, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if row, ok := strings.CutPrefix(line, "| `"); ok {
			dir, _, _ := strings.Cut(row, "`")
			if listed[dir] {
				t.Errorf("docs/architecture.md lists %s twice", dir)
			}
			listed[dir] = true
		}
	}
	all := packages(t)
	for dir := range all {
		if !listed[dir] {
			t.Errorf("docs/architecture.md does not list %s", dir)
		}
	}
	for dir := range listed {
		if _, ok := all[dir]; !ok {
			t.Errorf("docs/architecture.md lists %s, which is no package", dir)
		}
	}
}
