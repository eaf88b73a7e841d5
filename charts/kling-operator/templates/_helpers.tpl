{{- define "kling-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of what belongs to the release; the chart's name is not said twice. */}}
{{- define "kling-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := include "kling-operator.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* Name of the Service of the management port, and so the label `job` of what is scraped there. */}}
{{- define "kling-operator.metricsName" -}}
{{- printf "%s-metrics" (include "kling-operator.fullname" . | trunc 55 | trimSuffix "-") }}
{{- end }}

{{- define "kling-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kling-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "kling-operator.ownLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "kling-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "kling-operator.labels" -}}
{{ include "kling-operator.labelsAnd" (list . dict) }}
{{- end }}

{{/*
Labels of one object beside those of all: include "kling-operator.labelsAnd" (list . .Values.podLabels). Each is printed once,
because kustomize takes no key twice: the chart's own go before those of the object, and these before commonLabels. Not with
merge, which takes an empty value for none.
*/}}
{{- define "kling-operator.labelsAnd" -}}
{{- $root := index . 0 }}
{{- $labels := dict }}
{{- range list $root.Values.commonLabels (index . 1) (include "kling-operator.ownLabels" $root | fromYaml) }}
{{- range $key, $value := . }}
{{- $_ := set $labels $key $value }}
{{- end }}
{{- end }}
{{- toYaml $labels }}
{{- end }}

{{- define "kling-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "kling-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Full name of one image: include "kling-operator.image" (list . "mcp") */}}
{{- define "kling-operator.image" -}}
{{- $root := index . 0 }}
{{- $image := index $root.Values.images (index . 1) }}
{{- $name := printf "%s/%s" ($image.registry | default $root.Values.image.registry) $image.repository }}
{{- if $image.digest }}
{{- printf "%s@%s" $name $image.digest }}
{{- else }}
{{- printf "%s:%s" $name ($image.tag | default $root.Values.image.tag | default $root.Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* The watched namespaces as a JSON list under "list"; empty for the whole cluster. */}}
{{- define "kling-operator.namespaces" -}}
{{- if eq .Values.scope "namespace" }}
{{- dict "list" (.Values.watchNamespaces | default (list .Release.Namespace) | sortAlpha) | toJson }}
{{- else }}
{{- dict "list" list | toJson }}
{{- end }}
{{- end }}

{{/* What the operator may do where it watches. Secrets and ConfigMaps are read by name, never listed. */}}
{{- define "kling-operator.rules" -}}
- apiGroups: [klingapi.dev]
  resources: [klingapis]
  verbs: [get, list, watch]
- apiGroups: [klingapi.dev]
  resources: [klingapis/status]
  verbs: [get, patch]
# To be named as the owner that blocks the deletion of its children.
- apiGroups: [klingapi.dev]
  resources: [klingapis/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, delete]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [""]
  resources: [services, serviceaccounts, persistentvolumeclaims]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get]
- apiGroups: [apps]
  # ControllerRevisions keep the pod templates that a rollout can go back to.
  resources: [deployments, statefulsets, controllerrevisions]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies, ingresses]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
