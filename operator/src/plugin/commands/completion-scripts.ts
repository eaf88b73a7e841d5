/**
 * What makes a shell, or kubectl, ask `kubectl-kling __complete WORD…`. That prints one candidate a line, with its meaning after
 * a tab, and a line `:4` at the end, which tells kubectl to offer no files.
 */

const BASH = `# bash: source <(kubectl-kling completion bash)
_kubectl_kling() {
  local IFS=$'\\n' line
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in :[0-9]*) continue ;; esac
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(kubectl-kling __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _kubectl_kling kubectl-kling
`;

const ZSH = `#compdef kubectl-kling
# zsh: source <(kubectl-kling completion zsh)
_kubectl_kling() {
  local -a candidates
  local line
  while IFS= read -r line; do
    [[ "$line" == :[0-9]* ]] && continue
    line="\${line//:/\\\\:}"
    candidates+=("\${line/$'\\t'/:}")
  done < <(kubectl-kling __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe 'kubectl kling' candidates
}
compdef _kubectl_kling kubectl-kling
`;

const FISH = `# fish: kubectl-kling completion fish | source
function __kubectl_kling
    set -l words (commandline -opc)[2..-1] (commandline -ct)
    kubectl-kling __complete $words 2>/dev/null | string match -rv '^:\\d+$'
end
complete -c kubectl-kling -f -a '(__kubectl_kling)'
`;

const POWERSHELL = `# PowerShell: kubectl-kling completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName kubectl-kling -ScriptBlock {
  param($word, $ast, $cursor)
  $words = @($ast.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { "$_" }) + "$word"
  kubectl-kling __complete @words 2>$null | Where-Object { $_ -notmatch '^:\\d+$' } | ForEach-Object {
    $text, $about = $_ -split "\`t", 2
    if (-not $about) { $about = $text }
    [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $about)
  }
}
`;

/** kubectl looks for a program of this name beside the plugin, and hands it the words after \`kubectl kling\`. */
const KUBECTL = `#!/bin/sh
# Save it as kubectl_complete-kling on PATH, executable: then the completion of kubectl goes on after "kubectl kling".
exec kubectl-kling __complete "$@"
`;

export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL, kubectl: KUBECTL } as const;
export type Shell = keyof typeof SCRIPTS;
export const SHELLS = Object.keys(SCRIPTS).filter((name): name is Shell => Object.hasOwn(SCRIPTS, name));
