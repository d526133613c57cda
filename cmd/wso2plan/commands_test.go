package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"
)

// TestHelp holds that the help of every command says what its exit statuses mean, and what each
// flag does.
func TestHelp(t *testing.T) {
	root := commands(newTerminal(os.Stdin, os.Stdout, os.Stderr, os.Getenv))
	n := 0
	everyCommand(root, func(c *cli.Command) {
		n++
		if c.Usage == "" {
			t.Errorf("%s says nothing of itself", c.Name)
		}
		if !strings.Contains(c.Description, "EXIT STATUS: 0 done, 1 error") {
			t.Errorf("the help of %s does not say its exit statuses", c.Name)
		}
		for _, f := range c.Flags {
			if line := flagHelp(f); !strings.Contains(line, "\t") || strings.HasSuffix(line, "\t") {
				t.Errorf("the flag %s of %s has no help", f.Names()[0], c.Name)
			}
		}
	})
	if n < 17 {
		t.Errorf("only %d commands", n)
	}
}

// TestSandboxUntilInterrupted holds that the sandbox serves, says where, and ends with Ctrl-C.
func TestSandboxUntilInterrupted(t *testing.T) {
	cmd := exec.Command("wso2plan", "sandbox", "-free-ports")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	env := map[string]string{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if variable, ok := strings.CutPrefix(lines.Text(), "  export "); ok {
			name, value, _ := strings.Cut(variable, "=")
			env[name] = value
		}
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			break
		}
	}
	ca, err := os.ReadFile(env["APIM_CA_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	for _, url := range []string{env["APIM_ENDPOINT"] + "/api/am/devportal/v3/applications", env["IS_ENDPOINT"] + "/scim2/Users"} {
		req, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(env["APIM_USERNAME"], env["APIM_PASSWORD"])
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("GET %s: %s", url, res.Status)
		}
	}
	client.CloseIdleConnections()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the sandbox ended with %v", err)
	}
	if _, err := os.Stat(env["APIM_CA_FILE"]); !os.IsNotExist(err) {
		t.Errorf("the sandbox left its certificate behind: %v", err)
	}
}
