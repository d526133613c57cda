package oracle

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An artifact is a file of Maven Central and the place where a build looks for it.
type artifact struct {
	Group   string `xml:"groupId"`
	Name    string `xml:"artifactId"`
	Version string `xml:"version"`
	Type    string `xml:"type"`
	Folder  string `xml:"outputDirectory"`
	File    string `xml:"destFileName"`
}

// at is the artifact "group:name:version" of the type "jar", "zip" or "war", kept in folder as
// name-version.type.
func at(coordinates, kind, folder string) artifact {
	c := strings.Split(coordinates, ":")
	return artifact{c[0], c[1], c[2], kind, folder, c[1] + "-" + c[2] + "." + kind}
}

// fetched fetches what is not there yet, with one Maven for all of it. The builds would fetch the
// same, with one Maven for each file: some 20 minutes in place of two.
func fetched(t *testing.T, wanted []artifact) {
	t.Helper()
	var missing []artifact
	for _, a := range wanted {
		if _, err := os.Stat(filepath.Join(a.Folder, a.File)); err != nil {
			missing = append(missing, a)
		}
	}
	if len(missing) == 0 {
		return
	}
	t.Logf("fetching %d files of Maven Central", len(missing))
	project := struct {
		XMLName  xml.Name   `xml:"project"`
		Model    string     `xml:"modelVersion"`
		Group    string     `xml:"groupId"`
		Name     string     `xml:"artifactId"`
		Version  string     `xml:"version"`
		Kind     string     `xml:"packaging"`
		Plugin   string     `xml:"build>plugins>plugin>artifactId"`
		Revision string     `xml:"build>plugins>plugin>version"`
		Items    []artifact `xml:"build>plugins>plugin>configuration>artifactItems>artifactItem"`
	}{Model: "4.0.0", Group: "wso2plan", Name: "oracle", Version: "1", Kind: "pom", Plugin: "maven-dependency-plugin", Revision: "2.8", Items: missing}
	text, err := xml.Marshal(project)
	if err != nil {
		t.Fatal(err)
	}
	pom := filepath.Join(t.TempDir(), "pom.xml")
	write(t, pom, string(text))
	run(t, buildLimit, nil, "mvn", "-B", "-q", "-Dstyle.color=never", "-f", pom, "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy")
}

// filesOfIS are the files of which is-parts in the folder from is built in dir, as its build.sh names them.
func filesOfIS(t *testing.T, from, dir string) []artifact {
	t.Helper()
	kernel := at("org.wso2.carbon:wso2carbon-core:4.10.32", "zip", filepath.Join(dir, "lib"))
	kernel.File = "kernel.zip"
	all := []artifact{kernel}
	for _, l := range lines(t, filepath.Join(from, "bundles.txt")) {
		all = append(all, at(l, "jar", filepath.Join(dir, "lib/bundles")))
	}
	for _, l := range lines(t, filepath.Join(from, "features.txt")) {
		all = append(all, at(l, "zip", filepath.Join(dir, "lib/features")))
	}
	for _, l := range lines(t, filepath.Join(from, "wraps.txt")) {
		words := strings.Fields(l)
		for _, w := range words[2:] {
			all = append(all, at(w, "jar", filepath.Join(dir, "lib/wraps", words[0])))
		}
	}
	return all
}

// filesOfAPIM are the files of which apim-parts in the folder from is built in dir, the kernel beneath aside.
func filesOfAPIM(t *testing.T, from, dir string) []artifact {
	t.Helper()
	const group, version = "org.wso2.carbon.apimgt:org.wso2.carbon.apimgt.", "9.33.90"
	older := at(group+"impl:9.30.1", "jar", filepath.Join(dir, "lib"))
	older.File = "impl-9.30.1.jar"
	all := []artifact{older}
	for _, l := range lines(t, filepath.Join(from, "jars.txt")) {
		all = append(all, at(l, "jar", filepath.Join(dir, "lib/wso2")))
	}
	for _, war := range []string{"admin.v1", "store.v1", "publisher.v1"} {
		a := at(group+"rest.api."+war+":"+version, "war", filepath.Join(dir, "lib"))
		a.File = war + ".war"
		all = append(all, a)
	}
	return all
}

// filesOfCharon are the files that charon's run.sh looks for in lib.
func filesOfCharon(lib string) []artifact {
	var all []artifact
	for _, c := range []string{"org.wso2.charon:org.wso2.charon3.core:4.0.36", "org.json:json:20230227", "commons-lang:commons-lang:2.6",
		"commons-logging:commons-logging:1.2", "org.slf4j:slf4j-api:1.7.36", "org.slf4j:slf4j-nop:1.7.36"} {
		all = append(all, at(c, "jar", lib))
	}
	return all
}

// lines are the lines of a file, empty ones aside.
func lines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for l := range strings.Lines(string(text)) {
		if l = strings.TrimSpace(l); l != "" {
			all = append(all, l)
		}
	}
	return all
}
