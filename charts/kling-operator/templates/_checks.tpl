{{/*
What the schema cannot say in plain words: which value, what is wrong with it, the way out. All problems at once.
*/}}
{{- define "kling-operator.checks" -}}
{{- $problems := list }}
{{- $v := .Values }}
{{- range $path := list
      "image.pullPolicy" "images.operator.repository" "images.mcp.repository" "images.api.repository" "images.sandbox.repository" "images.probe.repository"
      "scope" "replicas" "podDisruptionBudget.maxUnavailable" "revisionHistoryLimit" "terminationGracePeriodSeconds" "spread"
      "logLevel" "workers" "maxConcurrentRollouts" "stormGuard.klingApis" "stormGuard.percent" "stormGuard.windowSeconds"
      "monitoring.prometheusRule.objectivePercent" "monitoring.prometheusRule.thresholds.repairsInWindow" "monitoring.prometheusRule.thresholds.taskFailureRatio" "monitoring.prometheusRule.thresholds.oldestTaskSeconds" "monitoring.prometheusRule.thresholds.unitsPerDay"
      "tests.timeoutSeconds" }}
{{- $value := $v }}
{{- range splitList "." $path }}{{ $value = get $value . }}{{ end }}
{{- if eq (toString $value) "" }}
{{- $problems = append $problems (printf "%s has no value: write one, or leave it out for that of the chart" $path) }}
{{- end }}
{{- end }}
{{- range $name, $image := merge (dict "" $v.image) $v.images }}
{{- $path := ternary "image" (printf "images.%s" $name) (eq $name "") }}
{{- $registry := $image.registry | default "" }}
{{- if contains "://" $registry }}
{{- $problems = append $problems (printf "%s.registry is %s: write it without %s://" $path $registry (first (splitList "://" $registry))) }}
{{- else if hasSuffix "/" $registry }}
{{- $problems = append $problems (printf "%s.registry is %s: write it without the slash at its end" $path $registry) }}
{{- else if regexMatch "\\s" $registry }}
{{- $problems = append $problems (printf "%s.registry has a space in it" $path) }}
{{- end }}
{{- if and $image.digest (not (regexMatch "^sha256:[0-9a-f]{64}$" $image.digest)) }}
{{- $problems = append $problems (printf "%s.digest is %s: write sha256: and 64 digits of 0-9 and a-f" $path $image.digest) }}
{{- end }}
{{- if and $name (not $registry) (not $v.image.registry) }}
{{- $problems = append $problems (printf "image.registry is not set: there is no default registry. Set it to the one that holds the images, for example --set image.registry=registry.example.com/team") }}
{{- end }}
{{- end }}
{{- if and $v.watchNamespaces (ne $v.scope "namespace") }}
{{- $problems = append $problems "watchNamespaces is set but scope is cluster: set scope=namespace to watch only these namespaces" }}
{{- end }}
{{- range $v.watchNamespaces }}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" .) }}
{{- $problems = append $problems (printf "watchNamespaces: %s is not the name of a namespace: small letters, digits and dashes" .) }}
{{- end }}
{{- end }}
{{- if and (not $v.serviceAccount.create) (not $v.serviceAccount.name) }}
{{- $problems = append $problems "serviceAccount.name is needed when serviceAccount.create is false" }}
{{- end }}
{{- if and (gt (int $v.replicas) 1) (not $v.leaderElection.enabled) }}
{{- $problems = append $problems (printf "replicas is %d and leaderElection.enabled is false: operators would work against each other. Set replicas=1, or leave the election on" (int $v.replicas)) }}
{{- end }}
{{- with $v.tracing.endpoint }}
{{- if not (regexMatch "^https?://." .) }}
{{- $problems = append $problems (printf "tracing.endpoint is %s: write it with http:// or https:// before it" .) }}
{{- end }}
{{- end }}
{{- range $v.extraEnv }}
{{- if has .name (list "MANAGEMENT_PORT" "LOG_LEVEL" "WORKERS" "MAX_CONCURRENT_ROLLOUTS" "STORM_KLINGAPIS" "STORM_PERCENT" "STORM_WINDOW_SECONDS" "WATCH_NAMESPACES" "POD_NAMESPACE" "POD_NAME" "OPERATOR_NAME" "LEADER_ELECTION" "LEADER_ELECTION_LEASE" "IMAGE_MCP" "IMAGE_API" "IMAGE_SANDBOX" "IMAGE_PROBE" "IMAGE_PULL_POLICY" "IMAGE_PULL_SECRETS" "LOG_SIGNATURES_FILE" "CONSOLE_PORT") }}
{{- $problems = append $problems (printf "extraEnv: %s is set by the chart: use the value of this chart that it is made from" .name) }}
{{- end }}
{{- end }}
{{- range $index, $klingApi := $v.tests.klingApis }}
{{- if and $klingApi.anonymous $klingApi.keySecretRef }}
{{- $problems = append $problems (printf "tests.klingApis[%d] (%s) is anonymous and has keySecretRef: leave one of them out" $index $klingApi.name) }}
{{- end }}
{{- end }}
{{- with uniq $problems }}
{{- fail (printf "\n\nThese values cannot be used:\n  - %s\n" (join "\n  - " .)) }}
{{- end }}
{{- end }}
