package apim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// readBody decodes a JSON body into a DTO, a pointer to a struct (or a list of such) that already
// holds the DTO's defaults, and checks it. A nil answer is success.
//
// The rules are those of the Jackson and bean validation of the real server (apim-behaviour 2.2 and
// 10): an unknown property is refused, names compare with case, scalars are converted into each
// other, an unknown enum value reads as null, and only then is the whole bean validated. Struct
// tags:
//
//	json:"name"           the property's name
//	is:"required,min=1,max=100"   bean validation; min and max count characters of strings and elements of lists
//	pattern:"regexp"      the whole string must match
//	enum:"A,B"            the values; anything else reads as null
func readBody(body []byte, into any) *answer {
	raw, bad := parseBody(body)
	if raw == nil && bad != nil {
		return bad
	}
	if err := assign(raw, reflect.ValueOf(into).Elem(), ""); err != nil {
		var unknown unknownProperty
		if errors.As(err, &unknown) {
			return badRequest("Unrecognized property '" + string(unknown) + "'")
		}
		return badRequest("One or more request body parameters contain disallowed values.")
	}
	if bad != nil {
		return bad
	}
	// By path, as seen.
	if list := validate(reflect.ValueOf(into).Elem(), "", ""); len(list) > 0 {
		slices.SortStableFunc(list, func(a, b violation) int { return strings.Compare(a.path, b.path) })
		return violations(list)
	}
	return nil
}

// parseBody parses a JSON text with its numbers as written. When more follows the value it returns
// both the value and a refusal: the real server finds fault with the first value first (seen).
func parseBody(body []byte) (any, *answer) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, internal("") // a null pointer in the server's validation
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var raw any
	if err := d.Decode(&raw); err != nil {
		return nil, badRequest("Malformed request body.")
	}
	if raw == nil {
		return nil, internal("") // a null pointer as well
	}
	switch _, err := d.Token(); {
	case errors.Is(err, io.EOF):
		return raw, nil
	case err != nil:
		return raw, badRequest("Malformed request body.")
	}
	return raw, badRequest("One or more request body parameters contain disallowed values.")
}

type unknownProperty string

func (u unknownProperty) Error() string { return "unknown property " + string(u) }

var errDisallowed = errors.New("disallowed value")

// assign puts a decoded JSON value into a field.
func assign(raw any, to reflect.Value, enum string) error {
	if raw == nil {
		to.SetZero()
		return nil
	}
	switch to.Kind() {
	case reflect.Interface:
		to.Set(reflect.ValueOf(raw))
	case reflect.Pointer:
		v := reflect.New(to.Type().Elem())
		if s, ok := raw.(string); ok && strings.TrimSpace(s) == "" && (v.Elem().Kind() == reflect.Int64 || v.Elem().Kind() == reflect.Bool) {
			to.SetZero() // a blank text is a null number
			return nil
		}
		if d, ok := v.Interface().(interface{ defaults() }); ok {
			d.defaults()
		}
		if err := assign(raw, v.Elem(), ""); err != nil {
			return err
		}
		if enum != "" && !slices.Contains(strings.Split(enum, ","), v.Elem().String()) {
			to.SetZero()
			return nil
		}
		to.Set(v)
	case reflect.String:
		switch raw := raw.(type) {
		case string:
			to.SetString(raw)
		case json.Number:
			to.SetString(raw.String())
		case bool:
			to.SetString(strconv.FormatBool(raw))
		default:
			return errDisallowed
		}
	case reflect.Bool:
		switch raw := raw.(type) {
		case bool:
			to.SetBool(raw)
		case json.Number:
			if strings.ContainsAny(raw.String(), ".eE") {
				return errDisallowed
			}
			to.SetBool(raw.String() != "0")
		case string:
			switch raw {
			case "true", "True", "TRUE":
				to.SetBool(true)
			case "false", "False", "FALSE":
				to.SetBool(false)
			default:
				return errDisallowed
			}
		default:
			return errDisallowed
		}
	case reflect.Int64:
		var text string
		switch raw := raw.(type) {
		case json.Number:
			text = raw.String()
		case string:
			text = strings.TrimSpace(raw)
		default:
			return errDisallowed
		}
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			to.SetInt(n)
			return nil
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || f > 1<<62 || f < -(1<<62) {
			return errDisallowed
		}
		to.SetInt(int64(f))
	case reflect.Slice:
		list, ok := raw.([]any)
		if !ok {
			return errDisallowed
		}
		out := reflect.MakeSlice(to.Type(), len(list), len(list))
		for i, v := range list {
			e := out.Index(i)
			if d, ok := e.Addr().Interface().(interface{ defaults() }); ok {
				d.defaults()
			}
			if err := assign(v, e, ""); err != nil {
				return err
			}
		}
		to.Set(out)
	case reflect.Map:
		m, ok := raw.(map[string]any)
		if !ok && to.Type().Elem().Kind() != reflect.Interface { // free objects may be anything, and are then taken as empty (seen)
			return errDisallowed
		}
		out := reflect.MakeMapWithSize(to.Type(), len(m))
		for k, v := range m {
			e := reflect.New(to.Type().Elem()).Elem()
			if err := assign(v, e, ""); err != nil {
				return err
			}
			out.SetMapIndex(reflect.ValueOf(k), e)
		}
		to.Set(out)
	case reflect.Struct:
		m, ok := raw.(map[string]any)
		if !ok {
			return errDisallowed
		}
		fields := fieldsOf(to.Type())
		names := make([]string, 0, len(m))
		for name := range m {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			f, ok := fields[name]
			if !ok {
				return unknownProperty(name)
			}
			if err := assign(m[name], to.FieldByIndex(f.Index), f.Tag.Get("enum")); err != nil {
				return err
			}
		}
	}
	return nil
}

var fieldCache sync.Map // reflect.Type -> map[string]reflect.StructField

// fieldsOf lists the fields of a DTO by their JSON names, those of embedded structs among them.
func fieldsOf(t reflect.Type) map[string]reflect.StructField {
	if got, ok := fieldCache.Load(t); ok {
		return got.(map[string]reflect.StructField)
	}
	out := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("json"); name != "" && name != "-" && f.IsExported() {
			name, _, _ = strings.Cut(name, ",")
			out[name] = f
		}
	}
	fieldCache.Store(t, out)
	return out
}

// validate checks a bean and the beans in it and returns what is wrong.
func validate(v reflect.Value, path, rules string) []violation {
	var out []violation
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return validate(v.Elem(), path, rules)
	case reflect.Slice:
		for i := range v.Len() {
			out = append(out, validate(v.Index(i), fmt.Sprintf("%s[%d]", path, i), "")...)
		}
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(v.Type()) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" || name == "-" {
				continue
			}
			at := name
			if path != "" {
				at = path + "." + name
			}
			fv := v.FieldByIndex(f.Index)
			messages := broken(fv, f.Tag)
			for _, message := range messages {
				out = append(out, violation{at, message})
			}
			if messages == nil {
				out = append(out, validate(fv, at, "")...)
			}
		}
	}
	return out
}

// broken says which constraints of its tags a field breaks, in the words of Hibernate Validator.
func broken(v reflect.Value, tag reflect.StructTag) []string {
	var out []string
	minimum, maximum, sized, required := 0, 1<<31-1, false, false
	for rule := range strings.SplitSeq(tag.Get("is"), ",") {
		name, n, _ := strings.Cut(rule, "=")
		switch name {
		case "required":
			required = true
		case "min":
			minimum, _ = strconv.Atoi(n)
			sized = true
		case "max":
			maximum, _ = strconv.Atoi(n)
			sized = true
		}
	}
	null := (v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice || v.Kind() == reflect.Map || v.Kind() == reflect.Interface) && v.IsNil()
	if null {
		if required {
			out = append(out, "must not be null")
		}
		return out
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	size := -1
	switch v.Kind() {
	case reflect.String:
		size = len([]rune(v.String()))
	case reflect.Slice:
		size = v.Len()
	}
	if sized && size >= 0 && (size < minimum || size > maximum) {
		out = append(out, fmt.Sprintf("size must be between %d and %d", minimum, maximum))
	}
	if pattern := tag.Get("pattern"); pattern != "" && v.Kind() == reflect.String && !compiled(pattern).MatchString(v.String()) {
		out = append(out, `must match "`+pattern+`"`)
	}
	return out
}

var patternCache sync.Map // string -> *regexp.Regexp

// compiled returns the pattern as Java's Matcher.matches takes it: anchored at both ends.
func compiled(pattern string) *regexp.Regexp {
	if got, ok := patternCache.Load(pattern); ok {
		return got.(*regexp.Regexp)
	}
	re := regexp.MustCompile(`^(?:` + pattern + `)$`)
	patternCache.Store(pattern, re)
	return re
}

// text returns what a pointer holds, empty for null.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// blank tells whether a text is null, empty or white space only.
func blank(s *string) bool { return strings.TrimSpace(text(s)) == "" }

// ptr returns a pointer to a copy.
func ptr[T any](v T) *T { return &v }
