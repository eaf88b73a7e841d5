// Reads Grafana dashboards strictly, by the types that Grafana publishes of its schema: an unknown field, a missing one or a
// wrong type is an error, in panels and queries too. Prints one line a problem; exit code 1 where there is one.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins()
	failed := false
	for _, path := range os.Args[1:] {
		if problems := problemsOf(path); problems != "" {
			failed = true
			fmt.Printf("%s: %s\n", path, problems)
		}
	}
	if failed {
		os.Exit(1)
	}
}

// A list of errors without any in it is not nil here, so its words are asked for.
func problemsOf(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	read := dashboard.NewDashboard()
	if err := read.UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
		return err.Error()
	}
	if err := read.Validate(); err != nil {
		return err.Error()
	}
	return ""
}
