{{- define "shoal.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "shoal.selector" -}}
app.kubernetes.io/name: shoal
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "shoal.labels" -}}
{{ include "shoal.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "shoal.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ printf "%s@%s" .repository .digest }}{{ else }}{{ printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) }}{{ end }}
{{- end }}
{{- end }}

{{- define "shoal.meshSecret" -}}
{{ .Values.mesh.existingSecret | default (printf "%s-mesh" (include "shoal.fullname" .)) }}
{{- end }}

{{- define "shoal.adminSecret" -}}
{{ .Values.admin.existingSecret | default (printf "%s-admin" (include "shoal.fullname" .)) }}
{{- end }}

{{- define "shoal.any" -}}
{{ if eq .Values.node.ipFamily "IPv6" }}[::]{{ else }}0.0.0.0{{ end }}
{{- end }}

{{/* An address that the environment has, with a port, as the configuration writes it. */}}
{{- define "shoal.at" -}}
{{ if eq .root.Values.node.ipFamily "IPv6" }}[${ {{- .name -}} }]{{ else }}${ {{- .name -}} }{{ end }}:{{ .port }}
{{- end }}

{{/* Where pods of the chart may run besides their own constraints: a node that is still cold among them. */}}
{{- define "shoal.startupToleration" -}}
- key: {{ .Values.startupTaint.key }}
  operator: Exists
{{- end }}

{{/* A container that needs nothing of its node. */}}
{{- define "shoal.harmless" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "shoal.ordinaryUser" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* What the node's configuration names. A pod has its node's zone as a label from Kubernetes 1.35 on; before, the zone is empty. */}}
{{- define "shoal.nodeEnvironment" -}}
- name: NODE_NAME
  valueFrom:
    fieldRef:
      fieldPath: spec.nodeName
- name: NODE_ZONE
  valueFrom:
    fieldRef:
      fieldPath: metadata.labels['topology.kubernetes.io/zone']
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
{{- end }}

{{/* The node that a pod of the warmer runs on: its admin address. */}}
{{- define "shoal.warmerEnvironment" -}}
- name: HOST_IP
  valueFrom:
    fieldRef:
      fieldPath: status.hostIP
{{- end }}

{{- define "shoal.warmerMounts" -}}
- name: config
  mountPath: /etc/shoal/warmer
  readOnly: true
- name: admin
  mountPath: /etc/shoal/admin
  readOnly: true
- name: scratch
  mountPath: /tmp
- name: state
  mountPath: /var/lib/shoal
{{- range .Values.warmer.extraSecrets }}
- name: {{ printf "extra-%s" .name | trunc 63 }}
  mountPath: {{ .mountPath }}
  readOnly: true
{{- end }}
{{- end }}

{{- define "shoal.warmerVolumes" -}}
- name: config
  configMap:
    name: {{ include "shoal.fullname" . }}-warmer
- name: admin
  secret:
    secretName: {{ include "shoal.adminSecret" . }}
    defaultMode: 0440
- name: scratch
  emptyDir:
    sizeLimit: 1Gi
- name: state
  emptyDir:
    sizeLimit: 64Mi
{{- range .Values.warmer.extraSecrets }}
- name: {{ printf "extra-%s" .name | trunc 63 }}
  secret:
    secretName: {{ .name }}
    defaultMode: 0440
{{- end }}
{{- end }}

{{/* Where the warmer's pods may run. */}}
{{- define "shoal.warmerPlacement" -}}
{{- with .Values.warmer.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.warmer.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
tolerations:
  {{- include "shoal.startupToleration" . | nindent 2 }}
  {{- with .Values.warmer.tolerations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
