package oracle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// patches are what we change in apim-parts: without these settings of WSO2's own, which nothing there makes, every PUT of an API, every definition
// and every product is 500.
var patches = []struct{ file, after, add string }{
	{"boot/oracle/apim/Boot.java", "internal.ServiceReferenceHolder.getInstance().setAPIMConfigurationService(configs);\n",
		"    org.wso2.carbon.apimgt.rest.api.common.internal.ServiceReferenceHolder.getInstance().setAPIMDependencyConfigurationService(" + dependencies + ");\n" +
			"    h.setAPIMDependencyConfigurationService(" + dependencies + ");\n"},
	{"boot/oracle/apim/Boot.java", "      p.setAPIMConfigurationService(configs);\n", "      p.setAPIMDependencyConfigurationService(" + dependencies + ");\n"},
}

const dependencies = "new org.wso2.carbon.apimgt.impl.APIMDependencyConfigurationServiceImpl(new org.wso2.carbon.apimgt.impl.APIMDependencyConfiguration())"

// patched makes to a copy of the folder from, with our patches, unless it has them already.
func patched(t *testing.T, from, to string) {
	t.Helper()
	replace(t, from, to)
	for _, p := range patches {
		file := filepath.Join(to, p.file)
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(got), strings.TrimSpace(p.add)) {
			continue
		}
		if !strings.Contains(string(got), p.after) {
			t.Fatalf("%s does not hold %q", file, p.after)
		}
		write(t, file, strings.Replace(string(got), p.after, p.after+p.add, 1))
	}
}
