package config

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"kurs"
)

// Input is everything that settings come from. A value of a flag beats one of
// the environment, that beats the file, and that the default.
type Input struct {
	File    string            // --config; "": $KURS_CONFIG, else kurs.toml in the user's config directory
	Environ []string          // of the form of os.Environ; an empty value counts as not set
	Flags   map[string]string // by key path, the text as given; lists with commas
	DataDir string            // --data; "": $KURS_DATA, else the user's directories
	NoData  bool              // the command keeps no data: a missing home directory is no error
	NoFile  bool              // a config file is read only where File names it
}

// OriginKind is what a value came from.
type OriginKind string

// The kinds of origins.
const (
	FromDefault OriginKind = "default"
	FromFile    OriginKind = "file"
	FromEnv     OriginKind = "env"
	FromFlag    OriginKind = "flag"
)

// Origin is where a value came from.
type Origin struct {
	Kind OriginKind
	Name string // of the file, the variable, or the flag with its dashes
	Line int    // in the file
}

// String is the origin as people read it: "default", "kurs.toml:4", "env
// KURS_CURRENCY", "flag --currency".
func (o Origin) String() string {
	switch o.Kind {
	case FromFile:
		return o.Name + ":" + strconv.Itoa(o.Line)
	case FromEnv, FromFlag:
		return string(o.Kind) + " " + o.Name
	case FromDefault:
	}
	return string(FromDefault)
}

// Origins says of each value where it came from.
type Origins struct {
	File     string // the config file, absolute; "": there is no place for one
	Exists   bool   // the file was there and was read
	Warnings []Warning

	values map[string]layered
}

// layered is a value as text, and where it came from.
type layered struct {
	origin Origin
	texts  []string
	broken bool                   // only checked, not taken: a mistake was reported already
	show   func(part int) Problem // the place of a part, or with -1 of the whole
}

// Of is the origin of a key's value.
func (o *Origins) Of(path string) Origin { return o.values[path].origin }

// Literal is a key's value in force, as TOML; a password in it is hidden.
func (o *Origins) Literal(path string) string {
	key, ok := Lookup(path)
	if !ok {
		return ""
	}
	return key.literal(o.Texts(path))
}

// Texts is a key's value in force as it is written, without quotes: one text, or
// for a list its parts. A password in it is hidden.
func (o *Origins) Texts(path string) []string {
	texts := slices.Clone(o.values[path].texts)
	if key, ok := Lookup(path); ok && key.secret() {
		for i := range texts {
			texts[i] = withoutPassword(texts[i])
		}
	}
	return texts
}

// Count is how many keys have their value from somewhere.
func (o *Origins) Count(kind OriginKind) int {
	n := 0
	for _, v := range o.values {
		if v.origin.Kind == kind {
			n++
		}
	}
	return n
}

// Load reads and checks all settings. A config file that is missing is an error
// only when it was named. Mistakes are reported together, as *[Problems]; other
// errors are of type *[kurs.Error]. Both end a command with exit code 2.
func Load(in Input) (Config, *Origins, error) {
	l := &loader{env: newEnviron(in.Environ), values: make(map[string]layered, len(keys))}
	path, named, err := FilePath(in)
	if err != nil {
		return Config{}, nil, err
	}
	l.path = path
	l.display = Short(path, in.Environ)
	if in.File != "" {
		l.display = in.File
	}
	l.defaults()
	read, err := l.file(named)
	if err != nil {
		return Config{}, nil, err
	}
	l.environment()
	l.flags(in.Flags)
	l.checkTogether()
	if len(l.problems) > 0 {
		p := &Problems{File: l.display, List: l.problems, Warnings: l.warnings}
		p.sort()
		return Config{}, nil, p
	}
	if err := l.resolvePaths(in); err != nil {
		return Config{}, nil, err
	}
	l.warnTogether()
	return l.cfg, &Origins{File: path, Exists: read, Warnings: l.warnings, values: l.values}, nil
}

// loader lays one layer over the other. A value that is wrong is reported and
// not taken, also where a later layer would have hidden it.
type loader struct {
	env      environ
	path     string
	display  string
	cfg      Config
	values   map[string]layered
	problems []Problem
	warnings []Warning
}

func (l *loader) defaults() {
	for _, k := range keys {
		texts := []string{k.Default}
		if k.Type() == typeList {
			texts = splitList(k.Default)
		}
		l.apply(k, layered{
			origin: Origin{Kind: FromDefault}, texts: texts,
			show: func(int) Problem { return Problem{Where: "default: " + k.Path, excerpt: k.Default} },
		})
	}
}

func (l *loader) file(named bool) (read bool, err error) {
	if l.path == "" {
		return false, nil
	}
	text, err := readFile(l.path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return false, nil
	}
	if err != nil {
		return false, &kurs.Error{
			Code: codeConfig, Message: "cannot read the config file " + l.display, Safe: "nothing was started or changed",
			Try: "kurs config path; kurs init writes a new one", Exit: kurs.ExitUsage, Err: cause(err),
		}
	}
	doc := parse(text)
	l.problems = append(l.problems, doc.problems...)
	for _, e := range doc.entries {
		line, _ := doc.position(e.at.start)
		l.apply(e.key, layered{
			origin: Origin{Kind: FromFile, Name: l.display, Line: line},
			texts:  e.texts,
			broken: e.broken,
			show: func(part int) Problem {
				if part >= 0 && part < len(e.parts) {
					return doc.problem(e.parts[part], "")
				}
				return doc.problem(e.at, "")
			},
		})
	}
	return true, nil
}

// cause drops the name of the call and the path, which the message has already.
func cause(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

// ownVariables are variables that are no settings of the file. Those that begin
// with KURS_FAULT belong to the test build.
var ownVariables = []string{"KURS_CONFIG", "KURS_DATA", "KURS_RECORDED"}

// environment takes the settings, in the order of the table, and warns of names
// that look like settings and are none.
func (l *loader) environment() {
	known := slices.Clone(ownVariables)
	for _, k := range keys {
		name := k.Env()
		known = append(known, name)
		if text := l.env[name]; text != "" {
			l.text(k, text, Origin{Kind: FromEnv, Name: name}, "env: "+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.env)) {
		if !strings.HasPrefix(name, "KURS_") || strings.HasPrefix(name, "KURS_FAULT") || slices.Contains(known, name) {
			continue
		}
		text := "env: " + readable(name) + " is not a setting"
		if near := Nearest(name, known); near != "" {
			text += ". Did you mean " + near + "?"
		}
		l.warn(Warning{Text: text})
	}
}

func (l *loader) flags(given map[string]string) {
	for _, path := range slices.Sorted(maps.Keys(given)) {
		k, ok := Lookup(path)
		if !ok {
			l.problems = append(l.problems, Problem{Where: "flag " + path, Message: "no such setting"})
			continue
		}
		name := "--" + k.Flag
		l.text(k, given[path], Origin{Kind: FromFlag, Name: name}, "flag "+name)
	}
}

// text takes a value that was not written in the file: lists have commas.
func (l *loader) text(k Key, text string, origin Origin, where string) {
	texts := []string{strings.TrimSpace(text)}
	if k.Type() == typeList {
		texts = splitList(text)
	}
	l.apply(k, layered{origin: origin, texts: texts, show: func(part int) Problem {
		if part >= 0 && part < len(texts) {
			return Problem{Where: where, excerpt: texts[part]}
		}
		return Problem{Where: where, excerpt: text}
	}})
}

// apply takes a value when nothing is wrong with it.
func (l *loader) apply(k Key, v layered) {
	to := &l.cfg
	if v.broken {
		to = new(Config)
	}
	flaws := k.set(to, v.texts)
	for _, f := range flaws {
		p := v.show(f.part)
		p.Message = f.message
		l.problems = append(l.problems, p)
	}
	if len(flaws) == 0 && !v.broken {
		v.texts = k.canonicalTexts(v.texts)
		l.values[k.Path] = v
	}
}

// bad reports the value in force of a key.
func (l *loader) bad(path, message string) {
	p := l.values[path].show(-1)
	p.Message = message
	l.problems = append(l.problems, p)
}

func (l *loader) warn(w Warning) { l.warnings = append(l.warnings, w) }

func (l *loader) origin(path string) Origin { return l.values[path].origin }

// retext changes what is shown of a default that depends on another setting.
func (l *loader) retext(path, text string) {
	v := l.values[path]
	v.texts = []string{text}
	l.values[path] = v
}
