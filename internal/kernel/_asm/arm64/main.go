// Command arm64 writes the NEON assembly of package kernel and its stubs. Run it with go generate in that package.
package main

import (
	"flag"
	"log"
	"os"
)

func main() {
	assembly := flag.String("out", "", "write the assembly here")
	stubs := flag.String("stubs", "", "write its Go declarations here")
	flag.Parse()
	f := newFile()
	f.tile("tileNEON", 6)
	f.tile("shortNEON", 3)
	f.outer()
	f.placeProducts()
	f.dot()
	f.keep()
	f.prefetch()
	f.channelSums()
	f.moments()
	f.normGrads()
	f.scale()
	f.normBack()
	f.leaky("leakySIMD", false)
	f.leaky("leakyBackSIMD", true)
	f.adam()
	f.add()
	f.peak()
	f.winograd()
	f.pairs()
	for path, text := range map[string][]byte{*assembly: f.assembly.Bytes(), *stubs: f.stubs.Bytes()} {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
