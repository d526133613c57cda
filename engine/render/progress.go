package render

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

// Line returns what is printed of an event of an apply, without a line break, as Terraform words
// it: "is_user.ann: Creating..." It is "" for events that say nothing there: failures, which end as
// diagnostics, and the counting of objects read, for which see ReadingLine.
func Line(e engine.Event, o Options) string {
	text := eventText(e)
	if text == "" {
		return ""
	}
	return paletteFor(o.Color).bold.of(e.Address.String() + ": " + text)
}

func eventText(e engine.Event) string {
	id := ""
	if e.ID != "" {
		id = " [id=" + printable(e.ID, false) + "]"
	}
	words, ok := eventWords[e.Action]
	if !ok {
		return ""
	}
	switch e.Kind {
	case engine.Started:
		if words.doing == "" {
			return ""
		}
		return words.doing + "..." + id
	case engine.Waiting:
		if words.still == "" {
			return ""
		}
		if e.ID != "" {
			return "Still " + words.still + "... [id=" + printable(e.ID, false) + ", " + elapsed(e.Elapsed) + " elapsed]"
		}
		return "Still " + words.still + "... [" + elapsed(e.Elapsed) + " elapsed]"
	case engine.Finished:
		switch e.Action {
		case engine.Delete:
			return words.done + " after " + elapsed(e.Elapsed)
		case engine.Import, engine.Move, engine.Forget:
			return words.done + id
		}
		return words.done + " after " + elapsed(e.Elapsed) + id
	}
	return ""
}

// eventWords are Terraform's words for what is done to an object; what takes no time has no
// beginning.
var eventWords = map[engine.Action]struct{ doing, still, done string }{
	engine.Create: {"Creating", "creating", "Creation complete"},
	engine.Update: {"Modifying", "modifying", "Modifications complete"},
	engine.Delete: {"Destroying", "destroying", "Destruction complete"},
	engine.Read:   {"Reading", "reading", "Read complete"},
	engine.Import: {"Importing", "importing", "Import complete"},
	engine.Move:   {"", "", "Moved"},
	engine.Forget: {"Letting go", "letting go", "Let go"},
}

// elapsed writes a duration in whole seconds, as "1s" or "1m10s".
func elapsed(d time.Duration) string { return d.Truncate(time.Second).String() }

// ReadingLine returns how far the reading has come: "Reading objects: 120 of 1000". It is "" for
// every other event.
func ReadingLine(e engine.Event) string {
	if e.Kind != engine.Reading {
		return ""
	}
	return "Reading objects: " + strconv.Itoa(e.Done) + " of " + strconv.Itoa(max(e.Done, e.Total))
}

// Result writes what an apply did, or a destroy: Terraform's last line, and the outputs below it.
// With failures it says what was done and what was not; the failures themselves are diagnostics.
func Result(w io.Writer, r *engine.Result, destroy bool, o Options) error {
	t := newPage(w, o)
	switch {
	case r.Failed > 0 || r.Skipped > 0:
		verb := "Apply incomplete!"
		if destroy {
			verb = "Destroy incomplete!"
		}
		t.in(t.pal.boldRed, verb)
		t.add(" Resources: ", tally(r.Counts, "imported", "added", "changed", "destroyed"), fmt.Sprintf("; %d failed", r.Failed))
		if r.Skipped > 0 {
			t.add(fmt.Sprintf(", %d not begun since something they depend on failed", r.Skipped))
		}
		t.add(".\n")
	case destroy:
		t.in(t.pal.boldGreen, fmt.Sprintf("Destroy complete! Resources: %d destroyed.", r.Counts.Destroy))
		t.add("\n")
	default:
		t.in(t.pal.boldGreen, "Apply complete! Resources: ", tally(r.Counts, "imported", "added", "changed", "destroyed"), ".")
		t.add("\n")
	}
	if !destroy && len(r.Outputs) > 0 {
		t.add("\n")
		t.in(t.pal.boldGreen, "Outputs:")
		t.add("\n\n")
		t.outputs(r.Outputs)
	}
	return t.flush(true)
}

// outputs writes outputs as `terraform output` does.
func (t *page) outputs(outputs map[string]cty.Value) {
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		v := outputs[name]
		text := "<sensitive>"
		if !marked(v) {
			text = literal(v, 0)
		}
		t.add(name, " = ", text, "\n")
	}
}

// SavedPlan writes what follows a plan: where it was saved, or, with file "", that it was not.
func SavedPlan(w io.Writer, file string, o Options) error {
	t := newPage(w, o)
	for range t.o.width() {
		t.add("─")
	}
	t.add("\n\n")
	if file == "" {
		t.prose("", `Note: You didn't use the -out option to save this plan, so wso2plan can't guarantee to take exactly these actions if you run "wso2plan apply" now.`)
		return t.flush(true)
	}
	t.add("Saved the plan to: ", file, "\n\n")
	t.add("To perform exactly these actions, run the following command to apply:\n")
	t.add("    wso2plan apply ", strconv.Quote(file), "\n")
	return t.flush(true)
}
