package render

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

func sampleOutputs() map[string]cty.Value {
	return map[string]cty.Value{
		"client_secret": secret("s3cr3t-output"),
		"count":         cty.NumberIntVal(3),
		"empty":         cty.EmptyTupleVal,
		"enabled":       cty.True,
		"nested_secret": cty.ObjectVal(attrs{"user": str("ann"), "password": secret("s3cr3t-nested")}),
		"none":          cty.NullVal(cty.String),
		"object":        cty.ObjectVal(attrs{"k k": cty.ObjectVal(attrs{"x": cty.NumberFloatVal(1.5)}), "l": cty.TupleVal(strs("a", "b")), "ml": str("a\nb\n"), "n": cty.NullVal(cty.DynamicPseudoType)}),
		"roles":         cty.SetVal(strs("b", "a")),
		"tags":          cty.MapVal(attrs{"a": str("1"), "b c": str(`"2"`)}),
		"users":         cty.ListVal(strs("ann", "bob")),
	}
}

func TestOutputGoldens(t *testing.T) {
	all := sampleOutputs()
	golden(t, "outputs.txt", func(w io.Writer) error {
		if diags := Outputs(w, all, OutputOptions{}); diags.HasErrors() {
			return diags
		}
		return nil
	})
	golden(t, "applied.txt", func(w io.Writer) error {
		return Result(w, &engine.Result{Counts: engine.Counts{Import: 1, Add: 2, Change: 3, Destroy: 4}, Outputs: all}, false, Options{})
	})
	delete(all, "client_secret")
	delete(all, "nested_secret")
	golden(t, "outputs.json", func(w io.Writer) error {
		if diags := Outputs(w, all, OutputOptions{JSON: true}); diags.HasErrors() {
			return diags
		}
		return nil
	})
}

func TestOneOutput(t *testing.T) {
	all := sampleOutputs()
	all["later"] = unknown(cty.String)
	for _, test := range []struct {
		o          OutputOptions
		want, diag string
	}{
		{OutputOptions{Name: "client_secret", Raw: true}, "s3cr3t-output", ""},
		{OutputOptions{Name: "client_secret"}, "\"s3cr3t-output\"\n", ""},
		{OutputOptions{Name: "client_secret", JSON: true}, "\"s3cr3t-output\"\n", ""},
		{OutputOptions{Name: "count", Raw: true}, "3", ""},
		{OutputOptions{Name: "enabled", Raw: true}, "true", ""},
		{OutputOptions{Name: "users", JSON: true}, "[\"ann\",\"bob\"]\n", ""},
		{OutputOptions{Name: "users"}, "tolist([\n  \"ann\",\n  \"bob\",\n])\n", ""},
		{OutputOptions{Name: "none", JSON: true}, "null\n", ""},
		{OutputOptions{Name: "users", Raw: true}, "", "Unsupported value for raw output"},
		{OutputOptions{Name: "none", Raw: true}, "", "Unsupported value for raw output"},
		{OutputOptions{Name: "later"}, "", "Output has no value yet"},
		{OutputOptions{Name: "nope"}, "", "Output not found"},
		{OutputOptions{Raw: true}, "", "Output name required"},
		{OutputOptions{Name: "count", Raw: true, JSON: true}, "", "Options that exclude each other"},
	} {
		var b bytes.Buffer
		diags := Outputs(&b, all, test.o)
		if b.String() != test.want {
			t.Errorf("%+v: got %q, want %q", test.o, b.String(), test.want)
		}
		summary := ""
		if len(diags) > 0 {
			summary = diags[0].Summary
		}
		if summary != test.diag {
			t.Errorf("%+v: got diagnostic %q, want %q", test.o, summary, test.diag)
		}
	}
	if diags := Outputs(io.Discard, nil, OutputOptions{}); len(diags) != 1 || diags.HasErrors() {
		t.Errorf("no outputs: %v", diags)
	}
	if diags := Outputs(io.Discard, nil, OutputOptions{Name: "x"}); !strings.Contains(diags.Error(), "defines none") {
		t.Errorf("no outputs: %v", diags)
	}
	var b bytes.Buffer
	if diags := Outputs(&b, nil, OutputOptions{JSON: true}); diags.HasErrors() || b.String() != "{}\n" {
		t.Errorf("no outputs as JSON: %q %v", b.String(), diags)
	}
}

func TestHeredocEndsWhereItShould(t *testing.T) {
	if got := literal(str("a\nEOT\nb"), 0); got != "<<-EOT_\na\nEOT\nb\nEOT_" {
		t.Errorf("got %q", got)
	}
}

func TestProgressLines(t *testing.T) {
	ann := address("is_user.ann")
	for _, test := range []struct {
		e    engine.Event
		want string
	}{
		{engine.Event{Kind: engine.Started, Address: ann, Action: engine.Create}, "is_user.ann: Creating..."},
		{engine.Event{Kind: engine.Waiting, Address: ann, Action: engine.Create, Elapsed: 10*time.Second + 4*time.Millisecond}, "is_user.ann: Still creating... [10s elapsed]"},
		{engine.Event{Kind: engine.Finished, Address: ann, Action: engine.Create, ID: "x", Elapsed: 1900 * time.Millisecond}, "is_user.ann: Creation complete after 1s [id=x]"},
		{engine.Event{Kind: engine.Started, Address: ann, Action: engine.Update, ID: "x"}, "is_user.ann: Modifying... [id=x]"},
		{engine.Event{Kind: engine.Finished, Address: ann, Action: engine.Update, ID: "x"}, "is_user.ann: Modifications complete after 0s [id=x]"},
		{engine.Event{Kind: engine.Started, Address: ann, Action: engine.Delete, ID: "x"}, "is_user.ann: Destroying... [id=x]"},
		{engine.Event{Kind: engine.Waiting, Address: ann, Action: engine.Delete, ID: "x", Elapsed: 70 * time.Second}, "is_user.ann: Still destroying... [id=x, 1m10s elapsed]"},
		{engine.Event{Kind: engine.Finished, Address: ann, Action: engine.Delete, ID: "x"}, "is_user.ann: Destruction complete after 0s"},
		{engine.Event{Kind: engine.Started, Address: ann, Action: engine.Import, ID: "x"}, "is_user.ann: Importing... [id=x]"},
		{engine.Event{Kind: engine.Finished, Address: ann, Action: engine.Import, ID: "x"}, "is_user.ann: Import complete [id=x]"},
		{engine.Event{Kind: engine.Started, Address: ann, Action: engine.Move}, ""},
		{engine.Event{Kind: engine.Finished, Address: ann, Action: engine.Move, ID: "x"}, "is_user.ann: Moved [id=x]"},
		{engine.Event{Kind: engine.Finished, Address: address("data.is_user.ann"), Action: engine.Read, ID: "x"}, "data.is_user.ann: Read complete after 0s [id=x]"},
		{engine.Event{Kind: engine.Failed, Address: ann, Action: engine.Create}, ""},
		{engine.Event{Kind: engine.Skipped, Address: ann, Action: engine.Create}, ""},
		{engine.Event{Kind: engine.Reading, Done: 1, Total: 2}, ""},
		{engine.Event{Kind: engine.Finished, Address: ann, Action: engine.Update, ID: "a\x1b[2Jb"}, `is_user.ann: Modifications complete after 0s [id=a\x1b[2Jb]`},
	} {
		if got := Line(test.e, Options{}); got != test.want {
			t.Errorf("%+v:\ngot  %q\nwant %q", test.e, got, test.want)
		}
	}
	if got := Line(engine.Event{Kind: engine.Started, Address: ann, Action: engine.Create}, Options{Color: true}); got != "\x1b[1mis_user.ann: Creating...\x1b[22m" {
		t.Errorf("in colour: %q", got)
	}
	if got := ReadingLine(engine.Event{Kind: engine.Reading, Done: 120, Total: 1000}); got != "Reading objects: 120 of 1000" {
		t.Errorf("got %q", got)
	}
}

func TestResultLines(t *testing.T) {
	for _, test := range []struct {
		r       engine.Result
		destroy bool
		want    string
	}{
		{engine.Result{Counts: engine.Counts{Add: 1}}, false, "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.\n"},
		{engine.Result{Counts: engine.Counts{Import: 2}}, false, "Apply complete! Resources: 2 imported, 0 added, 0 changed, 0 destroyed.\n"},
		{engine.Result{Counts: engine.Counts{Destroy: 3}}, true, "Destroy complete! Resources: 3 destroyed.\n"},
		{engine.Result{Counts: engine.Counts{Add: 1}, Failed: 2, Skipped: 4}, false, "Apply incomplete! Resources: 1 added, 0 changed, 0 destroyed; 2 failed, 4 not begun since something they depend on failed.\n"},
		{engine.Result{Counts: engine.Counts{Destroy: 1}, Failed: 1}, true, "Destroy incomplete! Resources: 0 added, 0 changed, 1 destroyed; 1 failed.\n"},
	} {
		var b bytes.Buffer
		if err := Result(&b, &test.r, test.destroy, Options{}); err != nil || b.String() != test.want {
			t.Errorf("got %q, want %q (%v)", b.String(), test.want, err)
		}
	}
}

func TestSavedPlan(t *testing.T) {
	golden(t, "saved.txt", func(w io.Writer) error { return SavedPlan(w, "my plan", Options{}) })
	golden(t, "not_saved.txt", func(w io.Writer) error { return SavedPlan(w, "", Options{}) })
}
