{{/* Of the values, and unless they say something of the kind, replicas apart from each other. */}}
{{- define "kling-operator.affinity" -}}
{{- $affinity := deepCopy (.Values.affinity | default dict) }}
{{- $selector := dict "matchLabels" (include "kling-operator.selectorLabels" . | fromYaml) }}
{{- $node := dict "labelSelector" $selector "topologyKey" "kubernetes.io/hostname" }}
{{- $zone := dict "labelSelector" $selector "topologyKey" "topology.kubernetes.io/zone" }}
{{- if and (not (hasKey $affinity "podAntiAffinity")) (gt (int .Values.replicas) 1) }}
{{- if eq .Values.spread "Required" }}
{{- $_ := set $affinity "podAntiAffinity" (dict
      "requiredDuringSchedulingIgnoredDuringExecution" (list $node)
      "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 50 "podAffinityTerm" $zone))) }}
{{- else if eq .Values.spread "Preferred" }}
{{- $_ := set $affinity "podAntiAffinity" (dict
      "preferredDuringSchedulingIgnoredDuringExecution" (list
        (dict "weight" 100 "podAffinityTerm" $node)
        (dict "weight" 50 "podAffinityTerm" $zone))) }}
{{- end }}
{{- end }}
{{- toYaml $affinity }}
{{- end }}
