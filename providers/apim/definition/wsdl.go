package definition

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

func newNode(line, column int) *yaml.Node { return &yaml.Node{Line: line, Column: column} }

// parseWSDL returns the elements of a WSDL: the children of its root, by their names, and the root
// itself without them.
func parseWSDL(text string) (map[string]string, error) {
	d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	d.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	elements := map[string]string{formatElement: "wsdl"}
	var child bytes.Buffer
	name := ""
	depth := 0
	tokens := 0
	var open []string
	bad := func(message string) error {
		line, column := d.InputPos()
		return &Error{Line: line, Column: column, Message: message}
	}
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var syntax *xml.SyntaxError
			if errors.As(err, &syntax) {
				return nil, bad(syntax.Msg)
			}
			return nil, bad(err.Error())
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
			tokens++
			open = append(open, rawName(t.Name))
			switch {
			case depth == 1:
				if t.Name.Local != "definitions" && t.Name.Local != "description" {
					return nil, bad("its root is " + t.Name.Local + "; WSDL 1.1 begins with definitions, and 2.0 with description")
				}
				var b bytes.Buffer
				writeStart(&b, t, 0)
				elements["root"] = b.String()
			case depth == 2:
				child.Reset()
				name = elementName(t)
				writeStart(&child, t, 0)
			default:
				child.WriteByte('\n')
				writeStart(&child, t, depth-2)
			}
		case xml.EndElement:
			depth--
			if depth < 0 || open[depth] != rawName(t.Name) {
				if depth < 0 {
					return nil, bad("it closes " + rawName(t.Name) + ", and nothing is open")
				}
				return nil, bad("it closes " + rawName(t.Name) + ", while " + open[depth] + " is open")
			}
			open = open[:depth]
			switch {
			case depth == 1:
				child.WriteString("\n</" + rawName(t.Name) + ">")
				for n, base := 2, name; ; n++ {
					if _, taken := elements[name]; !taken {
						break
					}
					name = base + " " + string(rune('0'+min(n, 9)))
				}
				elements[name] = child.String()
			case depth > 1:
				child.WriteString("\n" + strings.Repeat("  ", depth-1) + "</" + rawName(t.Name) + ">")
			}
		case xml.CharData:
			if s := strings.TrimSpace(string(t)); s != "" && depth > 1 {
				child.WriteString("\n" + strings.Repeat("  ", depth-1))
				_ = xml.EscapeText(&child, []byte(s)) // to memory: it does not fail
			}
		}
	}
	if depth != 0 {
		return nil, bad("it ends before its root is closed")
	}
	if tokens == 0 {
		return nil, bad("it holds no element")
	}
	return elements, nil
}

// elementName names a child of the root: "portType Orders", "types".
func elementName(t xml.StartElement) string {
	for _, a := range t.Attr {
		if a.Name.Local == "name" || t.Name.Local == "import" && a.Name.Local == "namespace" {
			return t.Name.Local + " " + a.Value
		}
	}
	return t.Name.Local
}

func rawName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// writeStart writes a start tag, its attributes sorted.
func writeStart(b *bytes.Buffer, t xml.StartElement, indent int) {
	b.WriteString(strings.Repeat("  ", indent) + "<" + rawName(t.Name))
	attrs := slices.Clone(t.Attr)
	slices.SortFunc(attrs, func(x, y xml.Attr) int { return strings.Compare(rawName(x.Name), rawName(y.Name)) })
	for _, a := range attrs {
		b.WriteString(" " + rawName(a.Name) + `="`)
		_ = xml.EscapeText(b, []byte(a.Value))
		b.WriteByte('"')
	}
	b.WriteByte('>')
}

// wsdlOrder is the order of the children of a WSDL.
var wsdlOrder = []string{"documentation", "import", "types", "message", "portType", "interface", "binding", "service"}

// wsdlText writes elements as a document.
func wsdlText(elements map[string]string) string {
	names := slices.DeleteFunc(sortedNames(elements), func(name string) bool { return name == formatElement || name == "root" })
	rank := func(name string) int {
		kind, _, _ := strings.Cut(name, " ")
		return slices.Index(wsdlOrder, kind)
	}
	slices.SortStableFunc(names, func(x, y string) int { return rank(x) - rank(y) })
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	root := elements["root"]
	b.WriteString(root)
	b.WriteByte('\n')
	for _, name := range names {
		b.WriteString(elements[name])
		b.WriteByte('\n')
	}
	tag := strings.TrimPrefix(root, "<")
	if i := strings.IndexAny(tag, " >"); i >= 0 {
		tag = tag[:i]
	}
	b.WriteString("</" + tag + ">\n")
	return b.String()
}
