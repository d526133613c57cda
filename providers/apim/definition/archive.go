package definition

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// archiveFormat is the format of a WSDL that comes as an archive of several files.
const archiveFormat = "wsdl zip"

// What an archive begins with: as it is, and in Base64, as filebase64 reads it.
const (
	archiveMagic = "PK\x03\x04"
	archiveBase  = "UEsDB"
)

// maxArchive is how many bytes the files of an archive may have together.
const maxArchive = 32 << 20

// parseArchive returns the files of an archive as elements, by their paths.
func parseArchive(text string) (map[string]string, error) {
	data := []byte(text)
	if !strings.HasPrefix(text, archiveMagic) {
		var err error
		if data, err = base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err != nil {
			return nil, &Error{Message: "it begins as an archive in Base64 does, and is none: " + err.Error()}
		}
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, &Error{Message: "it is no archive that can be read: " + err.Error()}
	}
	elements := map[string]string{formatElement: archiveFormat}
	left, found := int64(maxArchive), false
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		content, err := readFile(f, left)
		switch {
		case err != nil:
			return nil, &Error{Message: fmt.Sprintf("the file %s of the archive cannot be read: %v", f.Name, err)}
		case !utf8.ValidString(content):
			return nil, &Error{Message: fmt.Sprintf("the file %s of the archive is no text; an archive holds WSDL and XML Schema alone", f.Name)}
		}
		left -= int64(len(content))
		if strings.HasSuffix(f.Name, ".wsdl") {
			found = true
			if _, err := parseWSDL(content); err != nil {
				return nil, &Error{Message: fmt.Sprintf("the file %s of the archive: %v", f.Name, err)}
			}
		}
		elements["file "+f.Name] = content
	}
	if !found {
		return nil, &Error{Message: "the archive has no file that ends with .wsdl"}
	}
	return elements, nil
}

func readFile(f *zip.File, most int64) (string, error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(io.LimitReader(r, most+1))
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("the files have more than %d MiB together", maxArchive>>20)
	}
	return strings.ReplaceAll(string(content), "\r\n", "\n"), err
}

// archiveText makes an archive of elements; the same elements have the same bytes.
func archiveText(elements map[string]string) (string, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range sortedNames(elements) {
		path, ok := strings.CutPrefix(name, "file ")
		if !ok {
			continue
		}
		out, err := w.Create(path)
		if err != nil {
			return "", err
		}
		if _, err := io.WriteString(out, elements[name]); err != nil {
			return "", err
		}
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return b.String(), nil
}
