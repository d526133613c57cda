package oracle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// patches are what we change in apim-parts. They are pieces of WSO2's own that nothing there puts in their place:
//
//   - settings without which every PUT of an API, every definition and every product is 500;
//   - the export of APIs and products, which every revision of a product calls;
//   - the documents that say which scopes open an operation: two jars have them, and without this the older ones are often read, which lack
//     operations (labels, organizations, one environment, DELETE of keys): 401;
//   - the registry's type of documents, of which the stand-in requires fields that no document has (500)
//     and which it puts where contents are not looked for (404);
//   - the type of a column, without which no policy of an operation can have parameters: 500;
//   - the type of the columns for addresses in conditions of advanced policies, into which the code puts texts: 500;
//   - keys between the tables of policies, without which a deleted clone is found again and used: its uses vanish.
var patches = []struct{ file, old, text string }{
	{"boot/oracle/apim/Activator.java", classes, classes +
		"        urls.add(new File(home, \"apim/lib/org.wso2.carbon.apimgt.rest.api.common-9.33.90.jar\").toURI().toURL());\n"},
	{"boot/oracle/apim/Boot.java", registry, registry +
		"    h.setImportExportAPI(new org.wso2.carbon.apimgt.rest.api.publisher.v1.common.ImportExportAPIServiceImpl());\n"},
	{"boot/oracle/apim/Boot.java", common, common +
		"    org.wso2.carbon.apimgt.rest.api.common.internal.ServiceReferenceHolder.getInstance().setAPIMDependencyConfigurationService(" + dependencies + ");\n" +
		"    h.setAPIMDependencyConfigurationService(" + dependencies + ");\n"},
	{"boot/oracle/apim/Boot.java", publisher, publisher + "      p.setAPIMDependencyConfigurationService(" + dependencies + ");\n"},
	{"schema.py", `BLOB = set("`, `BLOB = set("PARAMETERS `},
	{"schema.py", ` PUBLISHED_TIME STARTING_IP ENDING_IP SPECIFIC_IP COUNT`, ` PUBLISHED_TIME COUNT`},
	{"schema.py", create, create + "\n" + `for child in ("API", "COMMON"):
    print(f"ALTER TABLE AM_{child}_OPERATION_POLICY ADD FOREIGN KEY (POLICY_UUID) REFERENCES AM_OPERATION_POLICY (POLICY_UUID) ON DELETE CASCADE;")
`},
	{"conf/rxts/document.rxt", `<storagePath>/@{`, `<storagePath>/apimgt/applicationdata/provider/@{`},
	{"conf/rxts/document.rxt", `<field type="text" required="true"><name>Provider</name>`, `<field type="text"><name>Provider</name>`},
	{"conf/rxts/document.rxt", `<field type="text" required="true"><name>Version</name>`, `<field type="text"><name>Version</name>`},
}

const (
	create       = `    print(f"CREATE TABLE {table} (\n  " + ",\n  ".join(body) + "\n);")`
	classes      = "urls.add(new File(home, \"apim/classes/\").toURI().toURL());\n"
	registry     = "    h.setRegistryService(registry);\n"
	common       = "internal.ServiceReferenceHolder.getInstance().setAPIMConfigurationService(configs);\n"
	publisher    = "      p.setAPIMConfigurationService(configs);\n"
	dependencies = "new org.wso2.carbon.apimgt.impl.APIMDependencyConfigurationServiceImpl(new org.wso2.carbon.apimgt.impl.APIMDependencyConfiguration())"
)

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
		if strings.Contains(string(got), p.text) {
			continue
		}
		if !strings.Contains(string(got), p.old) {
			t.Fatalf("%s does not hold %q", file, p.old)
		}
		write(t, file, strings.Replace(string(got), p.old, p.text, 1))
	}
}
