{{/* Never those of the operator: its Deployment, its Service and its budget go by them. */}}
{{- define "kling-operator.testSelectorLabels" -}}
app.kubernetes.io/name: {{ include "kling-operator.name" . | trunc 58 }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "kling-operator.testLabels" -}}
{{ merge (include "kling-operator.testSelectorLabels" . | fromYaml) (dict "app.kubernetes.io/component" "test") (include "kling-operator.labels" . | fromYaml) | toYaml }}
{{- end }}

{{/* The KlingApi that a test makes: its name has to begin with a letter and is at most 40 characters long. */}}
{{- define "kling-operator.testKlingApi" -}}
{{- printf "test-%s" (include "kling-operator.fullname" .) | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "kling-operator.testNamespace" -}}
{{- first (include "kling-operator.namespaces" . | fromJson).list | default .Release.Namespace }}
{{- end }}

{{/*
One pod that does a handshake: (dict "root" $ "name" … "namespace" … "url" … "secret" (dict "name" … "key" … "optional" …)).
It has no token and no rights. It tries again until it succeeds or its time is up. A Secret that is still to be made is waited
for; of one that should be there already (optional) the probe says that it is not.
*/}}
{{- define "kling-operator.handshakePod" -}}
{{- $root := .root }}
apiVersion: v1
kind: Pod
metadata:
  name: {{ .name }}
  namespace: {{ .namespace }}
  labels:
    {{- include "kling-operator.testLabels" $root | nindent 4 }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-weight: "2"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  {{- include "kling-operator.testPodSpec" $root | nindent 2 }}
  containers:
    - name: handshake
      {{- include "kling-operator.testContainer" $root | nindent 6 }}
      command:
        - /usr/bin/node
        - /app/cli.js
        - {{ .url | quote }}
        {{- if .secret }}
        - --auth
        - file:/etc/klingapi/key/key
        {{- end }}
      {{- with .secret }}
      volumeMounts:
        - name: key
          mountPath: /etc/klingapi/key
          readOnly: true
      {{- end }}
  {{- with .secret }}
  volumes:
    - name: key
      secret:
        secretName: {{ .name }}
        {{- with .optional }}
        optional: {{ . }}
        {{- end }}
        items:
          - key: {{ .key }}
            path: key
  {{- end }}
{{- end }}

{{- define "kling-operator.testPodSpec" -}}
restartPolicy: OnFailure
activeDeadlineSeconds: {{ .Values.tests.timeoutSeconds }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "kling-operator.testContainer" -}}
image: {{ include "kling-operator.image" (list . "probe") }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
resources:
  requests: { cpu: 10m, memory: 64Mi }
  limits: { memory: 128Mi }
{{- end }}
