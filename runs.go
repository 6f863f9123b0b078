package dcgan

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"

	"dcgan/checkpoint"
	"dcgan/config"
	"dcgan/internal/input"
	"dcgan/run"
)

// RunInfo is what a list of runs says of one.
type RunInfo struct {
	Dir     string
	Data    string
	Step    int    // newest whole checkpoint, 0 where there is none
	Steps   int    // that it was asked for
	Best    string // best score, "" where none
	Bytes   int64
	Damaged []string // what is wrong, a line each; empty for a whole run
}

// Runs lists the run folders below dir, by name, or the one that dir is. It reads their newest checkpoints to see whether they are whole.
func Runs(dir string) ([]RunInfo, error) {
	folders, err := run.List(dir)
	if err != nil {
		return nil, err
	}
	var all []RunInfo
	for _, path := range folders {
		info, err := runInfo(path)
		if err != nil {
			return nil, err
		}
		all = append(all, info)
	}
	return all, nil
}

func runInfo(dir string) (RunInfo, error) {
	info := RunInfo{Dir: dir}
	folder, err := run.Open(dir)
	if err != nil {
		return info, err
	}
	c := config.Default()
	if _, err := c.Load(filepath.Join(dir, run.ConfigName)); err != nil {
		info.Damaged = append(info.Damaged, err.Error())
	} else {
		info.Data, info.Steps = c.Data, c.Steps
	}
	whole, damaged, err := newestWhole(folder, checkpoint.Check)
	if err != nil { // no reason to tell nothing of the other runs
		info.Damaged = append(info.Damaged, err.Error())
	}
	if whole != nil {
		info.Step = whole.Step
	}
	for _, d := range damaged {
		info.Damaged = append(info.Damaged, d.Reason)
	}
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := entry.Info()
		if err == nil {
			info.Bytes += file.Size()
		}
		return nil // removed meanwhile, by a training that goes on
	})
	return info, err
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func unquote(text json.RawMessage) string {
	var s string
	if json.Unmarshal(text, &s) != nil {
		return ""
	}
	return s
}

// sameInitial holds weights that --init takes anew against those that a run began with.
func sameInitial(p *prepared, now string) error {
	if now != "" && now != p.from.InitSHA256 {
		return input.Errorf("init: %s began with other first weights than %s has: leave --init out to go on with it", p.plan.Run, p.plan.Init)
	}
	return nil
}
