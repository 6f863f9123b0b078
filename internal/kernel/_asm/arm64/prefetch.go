package main

// prefetch asks for lines of memory, some bytes apart, to be brought to the second level of cache.
func (f *file) prefetch() {
	f.text("prefetchSIMD", "p *float32, lines, stride int", 0)
	p := f.load("p", "lines", "stride")
	f.op("CMP", imm(0), p[1])
	f.op("BLE", "done")
	f.label("line")
	f.op("PRFM", "("+p[0].String()+")", "PLDL2KEEP")
	f.op("ADD", p[2].values(), p[0])
	f.op("SUBS", imm(1), p[1])
	f.op("BNE", "line")
	f.label("done")
	f.op("RET")
}
