package npy

import (
	"fmt"
	"strconv"
	"strings"
)

// header is the dictionary of a file.
type header struct {
	descr   string // type of the values: "<f4" is little-endian float32
	fortran bool
	shape   []int
}

// parseHeader reads the Python dictionary that numpy writes: exactly the keys 'descr', 'fortran_order' and 'shape', in
// any order, their values a string, a truth value and a tuple of integers.
func parseHeader(text string) (header, error) {
	h := header{shape: []int{}}
	s := scanner{rest: text}
	seen := map[string]bool{}
	s.want("{")
	for s.err == nil && !s.skip("}") {
		key := s.text()
		s.want(":")
		if seen[key] {
			s.fail("the key %q comes twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			h.descr = s.text()
		case "fortran_order":
			if h.fortran = s.skip("True"); !h.fortran {
				s.want("False")
			}
		case "shape":
			h.shape = s.tuple()
		default:
			s.fail("unknown key %q", key)
		}
		if !s.skip(",") {
			s.want("}")
			break
		}
	}
	if s.err == nil && strings.TrimSpace(s.rest) != "" {
		s.fail("more follows the dictionary")
	}
	if s.err == nil && len(seen) != 3 {
		s.fail("a key is missing of 'descr', 'fortran_order' and 'shape'")
	}
	return h, s.err
}

// scanner reads a text from left to right and keeps the first error.
type scanner struct {
	rest string
	err  error
}

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

// skip passes over token, and blanks before it, if it comes next.
func (s *scanner) skip(token string) bool {
	s.rest = strings.TrimLeft(s.rest, " \n")
	rest, found := strings.CutPrefix(s.rest, token)
	s.rest = rest
	return found
}

func (s *scanner) want(token string) {
	if !s.skip(token) {
		s.fail("%q is missing before %.20q", token, s.rest)
	}
}

// text reads a quoted string without escapes.
func (s *scanner) text() string {
	quote := "'"
	if s.skip(`"`) {
		quote = `"`
	} else {
		s.want(quote)
	}
	text, rest, found := strings.Cut(s.rest, quote)
	if !found {
		s.fail("a string does not end")
		return ""
	}
	s.rest = rest
	return text
}

// tuple reads (), (1,), (1, 2) and so on.
func (s *scanner) tuple() []int {
	sizes := []int{}
	s.want("(")
	for s.err == nil && !s.skip(")") {
		end := strings.IndexFunc(s.rest, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(s.rest)
		}
		size, err := strconv.Atoi(s.rest[:end])
		if err != nil {
			s.fail("%.20q is no size", s.rest)
			break
		}
		sizes = append(sizes, size)
		s.rest = s.rest[end:]
		if !s.skip(",") {
			s.want(")")
			break
		}
	}
	return sizes
}
