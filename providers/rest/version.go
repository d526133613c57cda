package rest

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

var versionText = regexp.MustCompile(`WSO2 [A-Za-z ]+[- ]v?(\d+\.\d+\.\d+)`)

// Version returns the version that the server says it has, such as "4.5.0", or "" when it does not
// say: the service behind it is often switched off.
func (c *Client) Version(ctx context.Context) string {
	res, err := c.Do(ctx, Request{Path: "/services/Version", Accept: "*/*", Login: LoginNone, NoPrefix: true})
	if err != nil {
		return ""
	}
	m := versionText.FindSubmatch(res.Body)
	if m == nil {
		return ""
	}
	return string(m[1])
}

// VersionWarning asks for the version, beside what the caller asks meanwhile. The function that it
// returns waits for the answer, and returns a warning for people when the server has another version
// than expected ("4.5"), or "". A server that does not tell its version is no reason to warn.
func (c *Client) VersionWarning(ctx context.Context, expected string) (wait func() string) {
	warning := make(chan string, 1)
	go func() { warning <- c.versionWarning(ctx, expected) }()
	return func() string { return <-warning }
}

func (c *Client) versionWarning(ctx context.Context, expected string) string {
	version := c.Version(ctx)
	if version == "" || strings.HasPrefix(version, expected+".") {
		return ""
	}
	return fmt.Sprintf("The server is %s %s, and this provider is written for %s. What both have in common works; "+
		"what differs may fail or be shown as a change that does not go away.", c.Settings().Product, version, expected)
}
