package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"wso2plan/providers/sandbox/is"
	"wso2plan/providers/sandbox/oauth"
)

// contents is the data file: everything but tokens and running logins.
type contents struct {
	Version   int
	Authority string // PEM: certificate and key
	Keys      keyTexts
	IS        *is.State
	APIM      json.RawMessage
	Clients   []oauth.Client // of API Manager's resident key manager
}

type keyTexts struct{ APIM, IS string }

const dataVersion = 1

// readData reads a data file; one that is not there is empty.
func readData(file string) (contents, error) {
	var c contents
	if file == "" {
		return c, nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("%s is no sandbox data file: %w", file, err)
	}
	if c.Version != dataVersion {
		return c, fmt.Errorf("%s has data format %d, and this version reads %d", file, c.Version, dataVersion)
	}
	return c, nil
}

// collect gathers the contents of both servers.
func (s *Sandbox) collect() (contents, error) {
	c := contents{Version: dataVersion, Clients: s.apimTokens.Clients()}
	state := s.isServer.State()
	c.IS = &state
	var err1, err2, err3, err4 error
	c.Authority, err1 = s.authority.text()
	c.Keys.APIM, err2 = keyText(s.apimTokens.Key())
	c.Keys.IS, err3 = keyText(s.isServer.OAuth().Key())
	c.APIM, err4 = s.apimServer.Snapshot()
	return c, errors.Join(err1, err2, err3, err4)
}

// Contents returns what both servers keep, as a data file holds it: everything but tokens and running logins, secrets in the clear.
func (s *Sandbox) Contents() ([]byte, error) {
	c, err := s.collect()
	if err != nil {
		return nil, err
	}
	return json.Marshal(c)
}

// Reset puts Contents of this sandbox in the place of what the servers hold, as if they were restarted with it. Nothing may be served meanwhile.
func (s *Sandbox) Reset(text []byte) error {
	var c contents
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	if c.IS == nil {
		return errors.New("no contents of Identity Server")
	}
	if err := s.isServer.Load(*c.IS); err != nil {
		return err
	}
	if err := s.apimServer.Restore(c.APIM); err != nil {
		return err
	}
	s.apimTokens.Load(c.Clients)
	s.data.touch()
	return nil
}

// A dataFile writes contents some time after they changed. A nil one writes nothing.
type dataFile struct {
	name    string
	collect func() (contents, error)
	changed chan struct{}
	stop    chan struct{}
	done    sync.WaitGroup

	mu    sync.Mutex
	last  []byte
	error error // of the latest write
}

// settle is how long changes are gathered before they are written.
const settle = 300 * time.Millisecond

func newDataFile(name string, collect func() (contents, error)) *dataFile {
	d := &dataFile{name: name, collect: collect, changed: make(chan struct{}, 1), stop: make(chan struct{})}
	d.done.Go(d.run)
	return d
}

// touch notes that something may have changed. It does not wait.
func (d *dataFile) touch() {
	if d == nil {
		return
	}
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

func (d *dataFile) run() {
	for {
		select {
		case <-d.changed:
		case <-d.stop:
			return
		}
		select {
		case <-time.After(settle):
		case <-d.stop:
			return
		}
		d.write()
	}
}

// write replaces the file by rename, so that a reader and a crash find the old or the new one.
func (d *dataFile) write() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.error = func() error {
		c, err := d.collect()
		if err != nil {
			return err
		}
		text, err := json.Marshal(c)
		if err != nil {
			return err
		}
		if bytes.Equal(text, d.last) {
			return nil
		}
		temporary, err := os.CreateTemp(filepath.Dir(d.name), filepath.Base(d.name)+".*")
		if err != nil {
			return err
		}
		_, err = temporary.Write(text)
		err = errors.Join(err, temporary.Sync(), temporary.Close())
		if err == nil {
			err = os.Rename(temporary.Name(), d.name)
		}
		if err != nil {
			_ = os.Remove(temporary.Name())
			return err
		}
		d.last = text
		return nil
	}()
}

// close writes what is left and returns the error of that.
func (d *dataFile) close() error {
	close(d.stop)
	d.done.Wait()
	d.write()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.error
}
