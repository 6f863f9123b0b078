package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"dcgan/internal/input"
)

// MaxFile bounds a config file in bytes: a full one has about 1 kB, so a larger one is no config but, say, a checkpoint.
const MaxFile = 1 << 20

// Origin is what a run's config.json tells beside the settings: with what and where the run was made. Reading a config
// passes over its keys.
type Origin struct {
	Version      string `json:"version"` // of the program
	Started      string `json:"started"` // when the run began, RFC 3339
	Resumed      string `json:"resumed"` // when it last went on, "" where it never did
	Host         string `json:"host"`
	OS           string `json:"os"`
	Arch         string `json:"arch"`
	CPU          string `json:"cpu"`          // the processor's name, "" where unknown
	CPUs         int    `json:"cpus"`         // cores that the process could use
	Instructions string `json:"instructions"` // instruction set of the matrix kernels

	// SavesFrom is the step after which it saves what and when the settings say, where it did otherwise before.
	SavesFrom int `json:"saves_from,omitempty"`
}

var originKeys = jsonKeys(reflect.TypeFor[Origin]())

// jsonKeys lists the JSON keys of a struct's fields.
func jsonKeys(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		keys = append(keys, key)
	}
	return keys
}

// Encode writes a run's config.json: every setting, and the origin. Equal arguments give equal bytes. The settings must
// have passed Check.
func Encode(c Config, origin Origin) []byte {
	text, err := json.MarshalIndent(struct {
		Config
		Origin
	}{c, origin}, "", "  ")
	if err != nil { // a number that is not finite
		panic("settings that were not checked: " + err.Error())
	}
	return append(text, '\n')
}

// Load reads a config file (the format of config.json) onto c and returns the keys of the settings that it gave, in
// the file's order. Settings that the file does not name stay as they are; after an error all do. Bounds are Check's.
func (c *Config) Load(path string) (given []string, err error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	given, err = c.Merge(text)
	if err != nil {
		return nil, input.Errorf("config file %s: %w", path, err)
	}
	return given, nil
}

// LoadOrigin reads what a run's config.json tells beside the settings.
func LoadOrigin(path string) (Origin, error) {
	var origin Origin
	text, err := readFile(path)
	if err != nil {
		return origin, err
	}
	if err := json.Unmarshal(text, &origin); err != nil {
		return Origin{}, input.Errorf("config file %s: %w", path, err)
	}
	return origin, nil
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, input.Errorf("config file: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	if err != nil {
		return nil, input.Errorf("config file: %w", err)
	}
	if len(text) > MaxFile {
		return nil, input.Errorf("config file %s: larger than %d bytes, so it is no config file", path, MaxFile)
	}
	return text, nil
}

// Merge is Load for a text in memory.
func (c *Config) Merge(text []byte) (given []string, err error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // some editors begin a file so
	merged := c.Clone()
	settings := merged.Settings()
	var seen []string

	dec := json.NewDecoder(bytes.NewReader(text))
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return nil, syntaxError(text, dec, err, "it does not begin with {")
	}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, syntaxError(text, dec, err, "")
		}
		key, _ := token.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, syntaxError(text, dec, err, "")
		}
		if slices.Contains(seen, key) {
			return nil, input.Errorf("%q stands there twice", key)
		}
		seen = append(seen, key)
		if slices.Contains(originKeys, key) {
			continue
		}
		i := slices.IndexFunc(settings, func(s Setting) bool { return s.Key == key })
		if i < 0 {
			return nil, unknownKey(settings, key)
		}
		if err := settings[i].decode(value); err != nil {
			return nil, err
		}
		given = append(given, key)
	}
	if _, err := dec.Token(); err != nil {
		return nil, syntaxError(text, dec, err, "")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, syntaxError(text, dec, err, "there is more after the closing }")
	}
	*c = merged
	return given, nil
}

// decode reads the value from JSON.
func (s Setting) decode(value json.RawMessage) error {
	fresh := reflect.New(reflect.TypeOf(s.Value).Elem()) // so that a list never writes into the memory of another
	if err := json.Unmarshal(value, fresh.Interface()); err != nil || string(value) == "null" {
		return input.Errorf("%q is %s, but must be %s", s.Key, shorten(value), s.wanted())
	}
	reflect.ValueOf(s.Value).Elem().Set(fresh.Elem())
	if v, ok := s.Value.(*float64); ok {
		*v += 0 // -0 becomes 0, so that equal numbers have one text
	}
	return nil
}

func unknownKey(settings []Setting, key string) error {
	if i := slices.IndexFunc(settings, func(s Setting) bool {
		return strings.EqualFold(s.Key, strings.ReplaceAll(strings.TrimLeft(key, "-"), "-", "_"))
	}); i >= 0 {
		return input.Errorf("%q is not a setting: did you mean %q?", key, settings[i].Key)
	}
	return input.Errorf("%q is not a setting: `dcgan train --help` lists them, written with _ for -", shorten([]byte(key)))
}

// syntaxError says what is wrong with the text as JSON, and in which line.
func syntaxError(text []byte, dec *json.Decoder, err error, otherwise string) error {
	at := dec.InputOffset()
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		at, otherwise = syntax.Offset, syntax.Error()
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		at, otherwise = int64(len(text)), "it ends too early"
	case err != nil:
		otherwise = err.Error()
	}
	line := 1 + bytes.Count(text[:min(at, int64(len(text)))], []byte("\n"))
	return input.Errorf("line %d: not a JSON object of settings: %s", line, otherwise)
}

// shorten keeps an error to a line.
func shorten(text []byte) string {
	const most = 60
	short := strings.Join(strings.Fields(string(text)), " ")
	if len(short) > most {
		return strings.ToValidUTF8(short[:most], "") + "…"
	}
	return short
}
