package render

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"wso2plan/engine"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares what write writes with a file under testdata, and no secret may be in it.
func golden(t *testing.T, name string, write func(w io.Writer) error) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	if i := strings.Index(b.String(), "s3cr3t"); i >= 0 {
		t.Errorf("%s holds a secret: …%s", name, b.String()[max(0, i-80):min(b.Len(), i+40)])
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("%s (-want +got); make golden rewrites it:\n%s", name, diff)
	}
}

func TestPlanGoldens(t *testing.T) {
	p := samplePlan()
	golden(t, "plan.txt", func(w io.Writer) error { return Text(w, p, Options{}) })
	golden(t, "plan_verbose.txt", func(w io.Writer) error { return Text(w, p, Options{Verbose: true}) })
	golden(t, "plan_color.txt", func(w io.Writer) error { return Text(w, p, Options{Color: true}) })
	golden(t, "plan_narrow.txt", func(w io.Writer) error { return Text(w, p, Options{Width: 60}) })
	golden(t, "plan.json", func(w io.Writer) error { return JSON(w, p) })
	golden(t, "state.txt", func(w io.Writer) error { return State(w, p, Options{}) })
	golden(t, "state.json", func(w io.Writer) error { return StateJSON(w, p) })
	refresh := *p
	refresh.Options.RefreshOnly = true
	refresh.Changes = append(refresh.Changes, engine.Change{Address: address("is_user.vanished"), Type: userType, Action: engine.Create,
		Reason: "the server does not have it any more", Before: cty.NullVal(userType.ImpliedType()), After: user(attrs{"user_name": str("vanished")})})
	golden(t, "refresh_only.txt", func(w io.Writer) error { return Text(w, &refresh, Options{}) })
}

// destroyPlan deletes everything that samplePlan would leave.
func destroyPlan() *engine.Plan {
	p := samplePlan()
	out := &engine.Plan{Options: engine.PlanOptions{Destroy: true}}
	for _, c := range p.Changes {
		if c.Before.IsNull() || c.Imported || c.Release {
			continue
		}
		out.Changes = append(out.Changes, engine.Change{Address: c.Address, Type: c.Type, ID: c.ID, Action: engine.Delete,
			Before: c.Before, After: cty.NullVal(c.Before.Type())})
	}
	for _, o := range p.Outputs {
		if !o.Before.IsNull() {
			out.Outputs = append(out.Outputs, engine.OutputChange{Name: o.Name, Before: o.Before, After: null, Sensitive: o.Sensitive})
		}
	}
	return out
}

func TestDestroyGolden(t *testing.T) {
	golden(t, "destroy.txt", func(w io.Writer) error { return Text(w, destroyPlan(), Options{}) })
}

func TestQuietPlans(t *testing.T) {
	bob := user(attrs{"user_name": str("bob")})
	same := engine.Change{Address: address("is_user.bob"), Type: userType, Before: bob, After: bob}
	moved := same
	moved.Action, moved.From = engine.Move, address("is_user.robert")
	uncompared := same
	uncompared.Paths = []engine.PathChange{{Path: path("password"), Kind: engine.Uncompared, Before: cty.NullVal(cty.String), After: secret("s3cr3t")}}
	for name, p := range map[string]*engine.Plan{
		"empty.txt":            {Changes: []engine.Change{same}},
		"empty_uncompared.txt": {Changes: []engine.Change{uncompared}},
		"empty_destroy.txt":    {Options: engine.PlanOptions{Destroy: true}},
		"empty_refresh.txt":    {Changes: []engine.Change{same}, Options: engine.PlanOptions{RefreshOnly: true}},
		"unreadable.txt":       {Unknown: append(samplePlan().Unknown, address(`is_user.people["x"]`))},
		"moved_only.txt":       {Changes: []engine.Change{moved}},
		"outputs_only.txt":     {Outputs: []engine.OutputChange{{Name: "n", Before: null, After: cty.NumberIntVal(1)}}},
	} {
		golden(t, name, func(w io.Writer) error { return Text(w, p, Options{}) })
	}
}
