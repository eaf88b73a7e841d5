// Takes the place of Prometheus' list of discoveries in our build: that of Kubernetes, which Debian's build leaves out, and none of
// the clouds, whose libraries would take minutes more.
package plugins

import (
	_ "github.com/prometheus/prometheus/discovery/kubernetes"
)
