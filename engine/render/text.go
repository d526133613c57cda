package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"wso2plan/engine"
)

// Text writes the plan for people, as Terraform writes its own. The same plan and options give the
// same bytes. The error is of w.
func Text(w io.Writer, p *engine.Plan, o Options) error {
	v := View(p, ViewOptions{Verbose: o.Verbose})
	t := newPage(w, o)
	if v.Mode == RefreshOnlyMode {
		t.refreshOnly(v)
		return t.flush(true)
	}
	if len(v.Changes) == 0 && len(v.Outputs) == 0 {
		t.nothing(v)
		t.notes(v)
		return t.flush(true)
	}
	if len(v.Changes) > 0 {
		if len(v.Legend) > 0 {
			t.prose("", "wso2plan used the selected providers to generate the following execution plan. "+
				"Resource actions are indicated with the following symbols:")
			for _, a := range v.Legend {
				t.add(t.symbol(a, a == createFirst), " ", meaning(a), "\n")
			}
			t.add("\n")
		}
		if len(v.Unknown) > 0 {
			t.add("wso2plan planned the following actions, but then encountered a problem:\n")
		} else {
			t.add("wso2plan will perform the following actions:\n")
		}
		for i := range v.Changes {
			t.change(&v.Changes[i])
			if err := t.flush(false); err != nil {
				return err
			}
		}
		t.notes(v)
		t.add("\n")
		t.in(t.pal.bold, "Plan:")
		t.add(" ", tally(v.Counts, "to import", "to add", "to change", "to destroy"), ".\n")
	}
	if len(v.Outputs) > 0 {
		if len(v.Changes) > 0 {
			t.add("\n")
		}
		t.add("Changes to Outputs:\n")
		t.rows(v.Outputs, v.OutputWidth, frame{depth: 0, in: Block, base: 4})
		if len(v.Changes) == 0 {
			t.add("\n")
			t.prose("", "Only output values differ: applying this plan changes no object.")
			t.notes(v)
		}
	}
	return t.flush(true)
}

// tally writes counts as "1 to add, 0 to change, 0 to destroy", imports only when there are any.
func tally(n engine.Counts, imported, added, changed, destroyed string) string {
	s := fmt.Sprintf("%d %s, %d %s, %d %s", n.Add, added, n.Change, changed, n.Destroy, destroyed)
	if n.Import > 0 {
		s = fmt.Sprintf("%d %s, %s", n.Import, imported, s)
	}
	return s
}

// nothing says that the plan is empty, and why.
func (t *page) nothing(v *PlanView) {
	headline := func(s style, first, rest string) {
		t.in(s, first)
		t.in(t.pal.bold, " ", rest)
		t.add("\n\n")
	}
	switch {
	case len(v.Unknown) > 0:
		headline(t.pal.boldRed, "Planning failed.", "wso2plan encountered an error while generating this plan.")
		t.prose("", "Of what could be read, nothing differs from the configuration.")
	case v.Mode == DestroyMode:
		headline(t.pal.boldGreen, "No changes.", "No objects need to be destroyed.")
		t.prose("", "Either you have not created any objects yet or the existing objects were already deleted outside of wso2plan.")
	default:
		headline(t.pal.boldGreen, "No changes.", "Your infrastructure matches the configuration.")
		t.prose("", "wso2plan has compared your real infrastructure against your configuration and found no differences, so no changes are needed.")
	}
}

// refreshOnly writes what changed on the servers since the last apply.
func (t *page) refreshOnly(v *PlanView) {
	if len(v.Changes) == 0 {
		if len(v.Unknown) > 0 {
			t.nothing(v)
		} else {
			t.in(t.pal.boldGreen, "No changes.")
			t.in(t.pal.bold, " Your infrastructure still matches the configuration.")
			t.add("\n\n")
			t.prose("", "wso2plan has checked that the real remote objects still match the result of your most recent changes, and found no differences.")
		}
	} else {
		t.in(t.pal.cyan, "Note:")
		t.in(t.pal.bold, " Objects have changed outside of wso2plan")
		t.add("\n\n")
		t.prose("", `wso2plan detected the following changes made outside of wso2plan since the last "wso2plan apply":`)
		for i := range v.Changes {
			t.change(&v.Changes[i])
		}
		t.add("\n")
		t.prose("", `This is a refresh-only plan, so wso2plan will not take any actions to undo these. "wso2plan plan" shows what an apply would do about them.`)
	}
	t.unknown(v)
}

// notes writes what is to be said of objects that do not change.
func (t *page) notes(v *PlanView) {
	if len(v.Uncompared) > 0 {
		t.note("Secrets that cannot be compared", v.Uncompared, "Their values were never applied from here, or the key of "+
			"their fingerprints was lost, so it is not known whether the server holds what is configured. They are written only with -rewrite-secrets.")
	}
	if len(v.Unmanaged) > 0 {
		t.note("Attributes that are no longer managed", v.Unmanaged, "They were dropped from the configuration and stay as they are on the server.")
	}
	t.unknown(v)
}

func (t *page) note(title string, notes []PathsView, text string) {
	t.add("\n")
	t.in(t.pal.cyan, "Note:")
	t.in(t.pal.bold, " ", title)
	t.add("\n\n")
	for i, n := range notes {
		if i == dozen && !t.o.Verbose && len(notes) > dozen+1 {
			t.add("  … and ", plural(len(notes)-i, "more object"), "\n")
			break
		}
		t.add("  ", n.Subject)
		if n.Instances > 1 {
			t.add(" (", strconv.Itoa(n.Instances), " instances)")
		}
		t.add(": ", list(n.Paths, 8), "\n")
	}
	t.add("\n")
	t.prose("", text)
}

func (t *page) unknown(v *PlanView) {
	if len(v.Unknown) == 0 {
		return
	}
	t.add("\n")
	t.in(t.pal.yellow, "Note:")
	t.in(t.pal.bold, " Objects that could not be read")
	t.add("\n\n")
	for i, a := range v.Unknown {
		if i == dozen && !t.o.Verbose && len(v.Unknown) > dozen+1 {
			t.add("  … and ", plural(len(v.Unknown)-i, "more object"), "\n")
			break
		}
		t.add("  ", a, "\n")
	}
	t.add("\n")
	t.prose("", "This plan says nothing of them or of what depends on them.")
}

// symbol returns the symbol of an action, three columns wide, right-aligned.
func (t *page) symbol(a engine.Action, first bool) string {
	switch a {
	case engine.Create:
		return "  " + t.pal.symAdd
	case engine.Update:
		return "  " + t.pal.symChange
	case engine.Delete:
		return "  " + t.pal.symRemove
	case engine.Replace, createFirst:
		if first {
			return t.pal.symCreateFirst
		}
		return t.pal.symReplace
	case engine.Read:
		return " " + t.pal.symRead
	}
	return "   "
}

func meaning(a engine.Action) string {
	switch a {
	case engine.Create:
		return "create"
	case engine.Update:
		return "update in-place"
	case engine.Delete:
		return "destroy"
	case engine.Replace:
		return "destroy and then create replacement"
	case createFirst:
		return "create replacement and then destroy"
	case engine.Read:
		return "read (data resources)"
	}
	return ""
}

// change writes one change: what happens in words, then the object.
func (t *page) change(c *ChangeView) {
	t.add("\n")
	if c.Fold != nil {
		t.fold(c)
		return
	}
	t.in(t.pal.bold, "  # ", c.Subject)
	t.add(" ")
	t.phrase(c.Phrase)
	t.add("\n")
	for _, s := range c.Comments {
		t.comment("  # (", "  # ", s, ")")
	}
	for _, s := range c.Warnings {
		t.warning(s)
	}
	if c.Header == "" {
		return
	}
	t.add(t.symbol(c.Action, c.CreateFirst), " ", c.Header, " {")
	if len(c.Rows) == 0 {
		t.add("}\n")
		return
	}
	t.add("\n")
	t.rows(c.Rows, c.Width, frame{depth: 1, in: Block, base: 4})
	t.add("    }\n")
}

func (t *page) comment(first, next, text, end string) {
	for i, line := range wrap(text+end, t.o.width()-len(first)) {
		if i == 0 {
			t.add(first, line, "\n")
		} else {
			t.add(next, line, "\n")
		}
	}
}

func (t *page) warning(text string) {
	for i, line := range wrap("Warning: "+text+".", t.o.width()-4) {
		t.add("  # ")
		if i == 0 {
			t.in(t.pal.boldYellow, "Warning:")
			line = strings.TrimPrefix(line, "Warning:")
		}
		t.add(line, "\n")
	}
}

// phrase writes what happens, its alarming word in red.
func (t *page) phrase(s string) {
	for _, word := range []string{"destroyed", "replaced", "deleted"} {
		if before, after, ok := strings.Cut(s, word); ok {
			t.add(before)
			t.in(t.pal.boldRed, word)
			t.add(after)
			return
		}
	}
	t.add(s)
}

// fold writes what many instances have in common.
func (t *page) fold(c *ChangeView) {
	f := c.Fold
	t.in(t.pal.bold, "  # ", c.Subject)
	t.add(": ", strconv.Itoa(f.Count), " more ")
	t.phrase(c.Phrase)
	t.add("\n")
	if len(f.Paths) > 0 {
		texts := make([]string, len(f.Paths))
		for i, p := range f.Paths {
			texts[i] = p.Text + " (" + strconv.Itoa(p.Count)
			if p.Drifted > 0 {
				texts[i] += ", " + strconv.Itoa(p.Drifted) + " changed on the server"
			}
			texts[i] += ")"
		}
		t.comment("  #   ", "  #   ", list(texts, 6), "")
	}
	for i, s := range f.Comments {
		if i == 5 {
			t.comment("  #   ", "  #   ", "and "+plural(len(f.Comments)-i, "other remark"), "")
			break
		}
		t.comment("  #   ", "  #   ", strconv.Itoa(s.Count)+" of them: "+s.Text, "")
	}
	keys := strings.Join(f.Keys, ", ")
	if f.Count > len(f.Keys) {
		keys += " … " + f.Last
	}
	t.comment("  #   ", "  #   ", keys+" (-verbose shows all)", "")
}

// A frame says where rows stand.
type frame struct {
	depth int
	in    Form // of what holds them
	op    Op   // likewise
	base  int  // 4 with a column for symbols, 0 without
}

const spaces = "                                                                                "

func (t *page) indent(n int) {
	for n > len(spaces) {
		t.add(spaces)
		n -= len(spaces)
	}
	t.add(spaces[:n])
}

// lead writes the indentation of a row and its symbol.
func (t *page) lead(f frame, op Op) {
	if f.base == 0 {
		t.indent(f.depth * 4)
		return
	}
	t.indent(f.depth*4 + 2)
	switch op {
	case Add:
		t.add(t.pal.symAdd, " ")
	case Change:
		t.add(t.pal.symChange, " ")
	case Remove:
		t.add(t.pal.symRemove, " ")
	default:
		t.add("  ")
	}
}

// rows writes the rows of an object, list, text or block.
func (t *page) rows(rows []Row, width int, f frame) {
	for i := range rows {
		r := &rows[i]
		if f.in == Block && i > 0 && f.depth > 0 && apart(&rows[i-1], r) {
			t.add("\n")
		}
		t.row(r, width, f)
	}
}

// apart reports whether an empty line stands between two rows of a block: before each kind of
// nested block, and before the count of hidden ones.
func apart(last, r *Row) bool {
	if r.Form == Block {
		return last.Form != Block || last.Name != r.Name
	}
	return last.Form == Block
}

func (t *page) row(r *Row, width int, f frame) {
	op := r.Op
	if (f.in == Lines || f.in == Encoded) && (f.op == Add || f.op == Remove) {
		op = Same // the symbol stands before the whole
	}
	t.lead(f, op)
	if r.Form == Hidden {
		t.in(t.pal.dim, "# (", r.After, ")")
		t.add("\n")
		return
	}
	if f.in == Lines {
		t.add(r.After)
		if r.Op == Remove {
			t.add(r.Before)
		}
		t.add("\n")
		return
	}
	t.add(r.Name)
	switch {
	case r.Form == Block:
		t.add(" ")
	case r.Name != "":
		t.indent(max(0, width-utf8.RuneCountInString(r.Name)))
		t.add(" = ")
	}
	end := f.depth*4 + f.base
	inner := frame{depth: f.depth + 1, in: r.Form, op: r.Op, base: f.base}
	if r.Form != Scalar && r.After != "" {
		inner.op = Remove // what is there now gives way to what is not known yet
	}
	switch r.Form {
	case Scalar:
		t.scalar(r, f)
		return
	case Object:
		t.body(r, f, inner, "{", "}", end)
	case List:
		t.body(r, f, inner, "[", "]", end)
	case Block:
		if r.After != "" {
			t.add(r.After)
			t.remark(r)
			t.add("\n")
			return
		}
		t.body(r, f, inner, "{", "}", end)
	case Lines:
		t.body(r, f, inner, "<<-EOT", "EOT", end)
	case Encoded:
		t.body(r, f, inner, "jsonencode(", ")", end)
	}
}

// body writes an opening, the rows and the closing.
func (t *page) body(r *Row, f, inner frame, open, close string, end int) {
	t.add(open)
	if len(r.Rows) == 0 {
		t.add(close)
		t.tail(r, f)
		t.remark(r)
		t.add("\n")
		return
	}
	t.remark(r)
	t.add("\n")
	t.rows(r.Rows, r.Width, inner)
	t.indent(end)
	t.add(close)
	t.tail(r, f)
	t.add("\n")
}

func (t *page) scalar(r *Row, f frame) {
	switch {
	case r.Op == Remove:
		t.add(r.Before)
	case r.Op == Change && r.Before != r.After && r.Before != "":
		t.add(r.Before, t.pal.to, r.After)
	default:
		t.add(r.After)
	}
	if r.Op == Remove {
		t.tail(r, f)
	} else if f.in == List {
		t.add(",")
	}
	t.remark(r)
	t.add("\n")
}

// tail writes what a removed or changed value becomes, and the comma of an element.
func (t *page) tail(r *Row, f frame) {
	switch {
	case r.Form == Block:
		return
	case r.Op == Remove && (f.in == Block || f.in == Object && f.op != Remove):
		t.add(" ")
		t.in(t.pal.dim, "-> null")
	case r.Op == Change && r.Form != Scalar && r.After != "":
		t.add(t.pal.to, r.After)
	}
	if f.in == List {
		t.add(",")
	}
}

// remark writes what is to be said of a row behind it.
func (t *page) remark(r *Row) {
	if r.Replaces {
		t.add(" ")
		t.in(t.pal.red, "# forces replacement")
	}
	if r.Note != "" {
		t.add(" ")
		if !r.Replaces {
			t.in(t.pal.dim, "# (", r.Note, ")")
		} else {
			t.in(t.pal.dim, "(", r.Note, ")")
		}
	}
}
