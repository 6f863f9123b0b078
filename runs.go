package dcgan

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"dcgan/checkpoint"
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
		all = append(all, runInfo(path))
	}
	return all, nil
}

// runInfo tells of a run what can be known, and of the rest what is wrong.
func runInfo(dir string) RunInfo {
	info := RunInfo{Dir: dir}
	wrong := func(err error) { info.Damaged = append(info.Damaged, err.Error()) }
	whole, damaged, err := newestWhole(&run.Folder{Dir: dir}, checkpoint.Check)
	if err != nil {
		wrong(err)
	}
	info.Step = stepOf(whole)
	for _, d := range damaged {
		info.Damaged = append(info.Damaged, d.Reason)
	}
	settings, _, err := verifySettings(filepath.Join(dir, run.ConfigName), whole)
	if err != nil {
		wrong(err)
	} else {
		info.Data, info.Steps = settings.Data, settings.Steps
	}
	filepath.WalkDir(dir+string(filepath.Separator), func(_ string, entry fs.DirEntry, err error) error { // of a link too
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				wrong(err)
			}
			return nil
		}
		if file, err := entry.Info(); err == nil && !entry.IsDir() { // else removed meanwhile, by a training that goes on
			info.Bytes += file.Size()
		}
		return nil
	})
	return info
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
