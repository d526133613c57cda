package render

import (
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// literal returns v as an expression of the configuration language, as `terraform output` prints
// it: keys quoted, two spaces a level, lists and maps with their type where it is not that of the
// brackets. Marked values inside are "<sensitive>"; v itself is not marked.
func literal(v cty.Value, indent int) string {
	var b strings.Builder
	appendLiteral(&b, v, indent)
	return b.String()
}

func appendLiteral(b *strings.Builder, v cty.Value, indent int) {
	if v == cty.NilVal {
		b.WriteString("null")
		return
	}
	t := v.Type()
	switch {
	case v.IsMarked():
		b.WriteString("<sensitive>")
	case !v.IsKnown():
		b.WriteString("<unknown>")
	case v.IsNull():
		b.WriteString(nullLiteral(t))
	case t == cty.String:
		stringLiteral(b, v.AsString(), indent)
	case t == cty.Number:
		b.WriteString(v.AsBigFloat().Text('f', -1))
	case t == cty.Bool:
		b.WriteString(strconv.FormatBool(v.True()))
	case t.IsObjectType():
		mapLiteral(b, v, indent, "", "")
	case t.IsMapType():
		mapLiteral(b, v, indent, "tomap(", ")")
	case t.IsTupleType():
		listLiteral(b, v, indent, "", "")
	case t.IsListType():
		listLiteral(b, v, indent, "tolist(", ")")
	case t.IsSetType():
		listLiteral(b, v, indent, "toset(", ")")
	default:
		b.WriteString("<" + t.FriendlyName() + ">")
	}
}

func nullLiteral(t cty.Type) string {
	switch t {
	case cty.String:
		return "tostring(null)"
	case cty.Number:
		return "tonumber(null)"
	case cty.Bool:
		return "tobool(null)"
	}
	return "null"
}

// stringLiteral writes a text of several lines as a heredoc, with an end mark that it does not
// hold.
func stringLiteral(b *strings.Builder, s string, indent int) {
	if !strings.Contains(s, "\n") {
		b.WriteString(strconv.Quote(s))
		return
	}
	end := "EOT"
	lines := strings.Split(s, "\n")
	for taken := true; taken; {
		taken = false
		for _, line := range lines {
			if strings.TrimSpace(line) == end {
				end += "_"
				taken = true
			}
		}
	}
	b.WriteString("<<-" + end + "\n")
	for _, line := range lines {
		pad(b, indent)
		b.WriteString(printable(line, true))
		b.WriteByte('\n')
	}
	pad(b, indent)
	b.WriteString(end)
}

func mapLiteral(b *strings.Builder, v cty.Value, indent int, open, close string) {
	b.WriteString(open)
	if v.LengthInt() == 0 {
		b.WriteString("{}" + close)
		return
	}
	b.WriteString("{\n")
	elems := v.AsValueMap()
	for _, name := range sortedKeys(elems) {
		pad(b, indent+2)
		b.WriteString(strconv.Quote(name) + " = ")
		appendLiteral(b, elems[name], indent+2)
		b.WriteByte('\n')
	}
	pad(b, indent)
	b.WriteString("}" + close)
}

func listLiteral(b *strings.Builder, v cty.Value, indent int, open, close string) {
	b.WriteString(open)
	if v.LengthInt() == 0 {
		b.WriteString("[]" + close)
		return
	}
	b.WriteString("[\n")
	for it := v.ElementIterator(); it.Next(); {
		_, x := it.Element()
		pad(b, indent+2)
		appendLiteral(b, x, indent+2)
		b.WriteString(",\n")
	}
	pad(b, indent)
	b.WriteString("]" + close)
}

func pad(b *strings.Builder, n int) {
	for range n {
		b.WriteByte(' ')
	}
}
