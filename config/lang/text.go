package lang

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
)

// stringFunc returns a function of one string.
func stringFunc(name string, f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: name, Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		RefineResult: func(b *cty.RefinementBuilder) *cty.RefinementBuilder {
			return b.NotNull()
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := f(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(s), nil
		},
	})
}

// testFunc returns a function that compares two strings.
func testFunc(second string, f func(s, t string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "str", Type: cty.String}, {Name: second, Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		RefineResult: func(b *cty.RefinementBuilder) *cty.RefinementBuilder {
			return b.NotNull()
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

var (
	startsWithFunc  = testFunc("prefix", strings.HasPrefix)
	endsWithFunc    = testFunc("suffix", strings.HasSuffix)
	strContainsFunc = testFunc("substr", strings.Contains)
)

// replaceFunc differs from cty's in that a search written between slashes is a regular expression.
var replaceFunc = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "str", Type: cty.String},
		{Name: "substr", Type: cty.String},
		{Name: "replace", Type: cty.String},
	},
	Type: function.StaticReturnType(cty.String),
	RefineResult: func(b *cty.RefinementBuilder) *cty.RefinementBuilder {
		return b.NotNull()
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		s, search, with := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if len(search) > 1 && search[0] == '/' && search[len(search)-1] == '/' {
			re, err := regexp.Compile(search[1 : len(search)-1])
			if err != nil {
				return cty.NilVal, function.NewArgError(1, err)
			}
			return cty.StringVal(re.ReplaceAllString(s, with)), nil
		}
		return cty.StringVal(strings.ReplaceAll(s, search, with)), nil
	},
})

func hexMD5(b []byte) string    { s := md5.Sum(b); return hex.EncodeToString(s[:]) }
func hexSha1(b []byte) string   { s := sha1.Sum(b); return hex.EncodeToString(s[:]) }
func hexSha256(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
func hexSha512(b []byte) string { s := sha512.Sum512(b); return hex.EncodeToString(s[:]) }
func base64Sha256(b []byte) string {
	s := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(s[:])
}
func base64Sha512(b []byte) string {
	s := sha512.Sum512(b)
	return base64.StdEncoding.EncodeToString(s[:])
}

var base64Sha256Func = stringFunc("str", func(s string) (string, error) { return base64Sha256([]byte(s)), nil })
var base64Sha512Func = stringFunc("str", func(s string) (string, error) { return base64Sha512([]byte(s)), nil })

var urlDecodeFunc = stringFunc("str", func(s string) (string, error) {
	out, err := url.QueryUnescape(s)
	if err == nil && !utf8.ValidString(out) {
		return "", fmt.Errorf("the result is not UTF-8")
	}
	return out, err
})

var base64GzipFunc = stringFunc("str", func(s string) (string, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, s); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
})

// gunzipLimit bounds what base64gunzip unpacks, in bytes, so that a small string cannot fill the
// memory.
const gunzipLimit = 64 << 20

var base64GunzipFunc = stringFunc("str", func(s string) (string, error) {
	packed, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", fmt.Errorf("the string is not Base64: %w", err)
	}
	var out []byte
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		out, err = io.ReadAll(io.LimitReader(r, gunzipLimit+1))
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("the bytes are not gzip: %w", err)
	case len(out) > gunzipLimit:
		return "", fmt.Errorf("the result is longer than %d MiB", gunzipLimit>>20)
	case !utf8.Valid(out):
		return "", fmt.Errorf("the result is not UTF-8")
	}
	return string(out), nil
})

// encodingNamed finds a character encoding by its IANA name.
func encodingNamed(name string) (encoding.Encoding, error) {
	enc, err := ianaindex.IANA.Encoding(name)
	if err != nil || enc == nil {
		return nil, function.NewArgErrorf(1, "there is no character encoding %q in the IANA registry", name)
	}
	return enc, nil
}

var textEncodeBase64Func = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "string", Type: cty.String}, {Name: "encoding", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		enc, err := encodingNamed(args[1].AsString())
		if err != nil {
			return cty.NilVal, err
		}
		out, err := enc.NewEncoder().Bytes([]byte(args[0].AsString()))
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(0, "the string has characters that %s cannot express", args[1].AsString())
		}
		return cty.StringVal(base64.StdEncoding.EncodeToString(out)), nil
	},
})

var textDecodeBase64Func = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "source", Type: cty.String}, {Name: "encoding", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		enc, err := encodingNamed(args[1].AsString())
		if err != nil {
			return cty.NilVal, err
		}
		raw, err := base64.StdEncoding.DecodeString(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(0, "the string is not Base64: %s", err)
		}
		out, err := enc.NewDecoder().Bytes(raw)
		if err != nil || bytes.ContainsRune(out, utf8.RuneError) {
			return cty.NilVal, function.NewArgErrorf(0, "the bytes are not %s", args[1].AsString())
		}
		return cty.StringVal(string(out)), nil
	},
})

var timestampFunc = function.New(&function.Spec{
	Type: function.StaticReturnType(cty.String),
	Impl: func([]cty.Value, cty.Type) (cty.Value, error) {
		return cty.StringVal(time.Now().UTC().Format(time.RFC3339)), nil
	},
})

var timeCmpFunc = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "timestamp_a", Type: cty.String},
		{Name: "timestamp_b", Type: cty.String},
	},
	Type: function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		var at [2]time.Time
		for i, arg := range args {
			t, err := time.Parse(time.RFC3339, arg.AsString())
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(i, "%q is not a time in the form of RFC 3339, such as 2006-01-02T15:04:05Z", arg.AsString())
			}
			at[i] = t
		}
		return cty.NumberIntVal(int64(at[0].Compare(at[1]))), nil
	},
})
