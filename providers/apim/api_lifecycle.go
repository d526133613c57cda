package apim

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// A transition is an action of the lifecycle and the state that it leads to.
type transition struct{ action, to string }

// transitions are those of the default lifecycle (apim-behaviour 5.2). APIM 4.5 leaves the targets in
// availableTransitions empty [seen], so we know them; which actions there are it tells.
var transitions = map[string][]transition{
	"CREATED":    {{"Publish", "PUBLISHED"}, {"Deploy as a Prototype", "PROTOTYPED"}},
	"PROTOTYPED": {{"Publish", "PUBLISHED"}, {"Demote to Created", "CREATED"}},
	"PUBLISHED":  {{"Block", "BLOCKED"}, {"Deploy as a Prototype", "PROTOTYPED"}, {"Demote to Created", "CREATED"}, {"Deprecate", "DEPRECATED"}},
	"BLOCKED":    {{"Re-Publish", "PUBLISHED"}, {"Deprecate", "DEPRECATED"}},
	"DEPRECATED": {{"Retire", "RETIRED"}},
	"RETIRED":    {},
}

// lifecycleState is what the server says of a state.
type lifecycleState struct {
	State       string `json:"state"`
	Transitions []struct {
		Event  string `json:"event"`
		Target string `json:"targetState"`
	} `json:"availableTransitions"`
}

// actions returns the actions that lead out of a state: those that the server offers, with their
// targets where these are known. Without an answer of the server they are the default ones.
func (s *lifecycleState) actions(state string) []transition {
	if s == nil {
		return transitions[state]
	}
	var out []transition
	for _, t := range s.Transitions {
		to := strings.ToUpper(t.Target)
		if to == "" {
			for _, known := range transitions[state] {
				if known.action == t.Event {
					to = known.to
				}
			}
		}
		out = append(out, transition{t.Event, to})
	}
	return out
}

// route returns the actions that lead from one state to another, the fewest. offered is what the
// server says of the first state, or nil. It is not found when no way leads there; certain is false
// when the server offers actions that we do not know, which might lead there.
func route(from, to string, offered *lifecycleState) (actions []transition, found, certain bool) {
	certain = true
	if from == to {
		return nil, true, true
	}
	type step struct {
		state string
		way   []transition
	}
	seen := map[string]bool{from: true}
	for queue := []step{{state: from}}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		out := transitions[at.state]
		if at.state == from {
			out = offered.actions(from)
		}
		if _, known := transitions[at.state]; !known {
			certain = false
		}
		for _, t := range out {
			if t.to == "" {
				certain = false
				continue
			}
			if seen[t.to] {
				continue
			}
			seen[t.to] = true
			way := append(slices.Clone(at.way), t)
			if t.to == to {
				return way, true, certain
			}
			queue = append(queue, step{t.to, way})
		}
	}
	return nil, false, certain
}

// A deployable collection is one whose elements are deployed and have a lifecycle: /apis or
// /api-products.
type deployable struct {
	client *rest.Client
	path   string // "/api/am/publisher/v4/apis"
	param  string // of the id in queries: "apiId"
	noun   string // "API"

	// host returns the first virtual host of a gateway environment, "" when it cannot be told.
	host func(ctx context.Context, environment string) string
}

func (s *deployable) item(id string) string { return s.path + "/" + url.PathEscape(id) }

// lifecycle asks for the state of an element and the actions that lead out of it.
func (s *deployable) lifecycle(ctx context.Context, id string) (*lifecycleState, error) {
	var out lifecycleState
	err := s.client.Get(ctx, s.item(id)+"/lifecycle-state", nil, &out)
	return &out, err
}

// walk leads an element from one state to another, one action after the other.
func (s *deployable) walk(ctx context.Context, id, from, to string) error {
	if from == to {
		return nil
	}
	offered, err := s.lifecycle(ctx, id)
	if err != nil {
		return rest.Unfound(err)
	}
	for from != to {
		way, found, _ := route(from, to, offered)
		if !found {
			return &engine.AttributeError{Attribute: "lifecycle_state", Summary: "Unreachable lifecycle state",
				Err: fmt.Errorf("no action of the lifecycle leads from %s to %s", from, to)}
		}
		step := way[0]
		var answer struct {
			WorkflowStatus string         `json:"workflowStatus"`
			State          lifecycleState `json:"lifecycleState"`
		}
		err := s.client.Call(ctx, rest.Request{Method: http.MethodPost, Path: s.path + "/change-lifecycle",
			Query: url.Values{"action": {step.action}, s.param: {id}}}, &answer)
		if err != nil {
			return explainLifecycle(step, err)
		}
		state := strings.ToUpper(answer.State.State)
		if answer.WorkflowStatus == "CREATED" || state == from {
			return &engine.AttributeError{Attribute: "lifecycle_state", Summary: "Lifecycle change waits for an approval",
				Err: fmt.Errorf("the action %s is asked for and not done; approve it in the admin portal and apply again", step.action)}
		}
		if state == "" {
			state = step.to
		}
		from, offered = state, &answer.State
		if len(offered.Transitions) == 0 {
			offered = nil
		}
	}
	return nil
}

func explainLifecycle(step transition, err error) error {
	attribute, summary := "lifecycle_state", "Lifecycle action refused"
	switch rest.CodeOf(err) {
	case "903224":
		attribute, summary = "policies", "No subscription policy"
		err = fmt.Errorf("%w; a published API needs one: set policies to those that it offers, such as \"Unlimited\"", err)
	case "903223":
		attribute, summary = "endpoint", "No endpoint"
		err = fmt.Errorf("%w; add an endpoint block", err)
	case "900553":
		err = fmt.Errorf("%w; approve or reject what waits in the admin portal first", err)
	default:
		err = fmt.Errorf("%s: %w", step.action, err)
	}
	return &engine.AttributeError{Attribute: attribute, Summary: summary, Err: err}
}

// retire leads an element that was published to RETIRED, which ends its subscriptions.
func (s *deployable) retire(ctx context.Context, id, state string) error {
	return s.walk(ctx, id, state, "RETIRED")
}

// retirable reports whether retiring a state makes sense: what was never offered is deleted.
func retirable(state string) bool { return state != "CREATED" && state != "PROTOTYPED" && state != "" }
