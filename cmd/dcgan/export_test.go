package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dcgan"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestExport exports a run in every format and gives the files to the verbs that take a run.
func TestExport(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	dcganWith := func(args string) outcome { return call(t, dir, strings.Fields(args)...) }
	wantDone(t, trainTiny(t, dir, "--steps", "2", "--run", "r", "--quiet"), "")
	wantDone(t, dcganWith("sample r -n 3 --out run.npy"), "")

	trained := map[bool]string{}
	for _, format := range dcgan.Formats() {
		name, g, d := format.Name, "generator"+format.Ending, "discriminator"+format.Ending
		wantDone(t, dcganWith("export r --format "+name+" --network both --out "+name), name+": "+g+" and "+d)
		both := name + "/" + g + "," + name + "/" + d
		wantDone(t, dcganWith("export r --format "+name), g+": the generator as "+name)
		if read(t, in(g)) != read(t, in(name+"/"+g)) {
			t.Errorf("%s: alone, the generator is another file than with the discriminator", name)
		}

		wantDone(t, dcganWith("sample "+g+" -n 3 --out file.npy"), "")
		if read(t, in("file.npy")) != read(t, in("run.npy")) {
			t.Errorf("%s: %s draws other images than the run", name, g)
		}
		got := dcganWith("summary " + name + "/" + d)
		wantDone(t, got, "Conv2D")
		if strings.Contains(got.stdout, "Conv2DTranspose") {
			t.Errorf("%s: the discriminator's file holds a generator", name)
		}
		wantDone(t, dcganWith("export "+g+" --format "+name+" --out again"+format.Ending), "")
		if read(t, in("again"+format.Ending)) != read(t, in(g)) {
			t.Errorf("%s: exported again, it is another file", name)
		}

		wantError(t, dcganWith("sample "+name+"/"+d), statusInput, "holds a discriminator and no generator")
		wantError(t, dcganWith("export "+g+" --network discriminator --out "+g+" --format "+name), statusInput, "holds no discriminator")
		if read(t, in(g)) != read(t, in(name+"/"+g)) {
			t.Errorf("%s: an export that failed changed the file", name)
		}
		wantError(t, trainTiny(t, dir, "--init", name+"/"+d, "--run", "bad"), statusInput, "holds no generator")
		wantError(t, trainTiny(t, dir, "--init", g+","+g, "--run", "bad"), statusInput, "holds no discriminator")
		keras := format.Ending == ".h5" || format.Ending == ".keras" // whose layers decide, and which have moments
		if !keras {
			wantError(t, call(t, dir, "train", "--init", g, "--run", "bad"), statusInput, "the settings ask for")
		}

		// Formats that hold the same are the same beginning for a training.
		wantDone(t, trainTiny(t, dir, "--init", both, "--steps", "1", "--run", "from-"+name, "--quiet"), "")
		if c := read(t, in("from-"+name+"/checkpoints/00000001.safetensors")); trained[keras] == "" {
			trained[keras] = c
		} else if c != trained[keras] {
			t.Errorf("%s: a training begins otherwise with its weights", name)
		}
	}
	wantDone(t, dcganWith("export r --out by-ending.onnx"), "the generator as onnx")
	socket, err := net.Listen("unix", in("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	wantError(t, dcganWith("export r --format onnx --out socket"), statusInput, "--out: socket is a device or a pipe")
	for args, says := range map[string]string{
		"--format onnx --out new/":                    "--out: new/ is a folder: name a file",
		"--format onnx --out x.h5":                    "x.h5 ends as files of --format keras-h5 do, and --format is onnx",
		"--format keras --out x.H5":                   "x.H5 ends as files of --format keras-h5 do",
		"--format onnx --network both":                "--out: two files are written",
		"--format onnx --network both --out x.onnx":   "x.onnx is a file, and two are written",
		"--network both --out x.onnx":                 "x.onnx is a file, and two are written",
		"--format onnx --network both --out some/new": "there is no folder some",
		"--format onnx --network nosuch --out new":    `unknown network "nosuch"`,
	} {
		wantError(t, dcganWith("export r "+args), statusInput, says)
	}
	wantError(t, dcganWith("export generator.onnx --format keras --network both --out new"), statusInput,
		"dcgan: generator.onnx holds no discriminator: give --network generator")
	for _, name := range []string{"new", "x.h5", "x.H5", "x.onnx"} {
		if _, err := os.Stat(in(name)); err == nil {
			t.Errorf("%s was made", name)
		}
	}

	if err := os.Truncate(in("by-ending.onnx"), 1000); err != nil {
		t.Fatal(err)
	}
	wantError(t, dcganWith("sample by-ending.onnx"), statusInput, "by-ending.onnx: is not an ONNX model, or is damaged")
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
