"""Completion in bash: commands, keys, and the names of scenarios and places."""

from __future__ import annotations

from movesim.helptext import SUMMARIES
from movesim.settings import COMMANDS

_SCRIPT = r"""# movesim completion for bash; put  eval "$(movesim completion bash)"  into ~/.bashrc
_movesim() {
    local line cur key command
    line="${COMP_LINE:0:COMP_POINT}"
    cur="${line##*[[:space:]]}"
    command="${COMP_WORDS[1]}"
    COMPREPLY=()
    if [[ ${COMP_CWORD} -le 1 ]]; then
        COMPREPLY=($(compgen -W "@COMMANDS@ --help --version" -- "$cur"))
        return
    fi
    if [[ $cur == *=* ]]; then
        key="${cur%%=*}"
        cur="${cur#*=}"
        case "$key" in
            scenario|plan|from) COMPREPLY=($(compgen -W "$(movesim list scenarios --names 2>/dev/null)" -- "$cur")) ;;
            shocks) COMPREPLY=($(compgen -W "$(movesim list shocks --names 2>/dev/null)" -- "$cur")) ;;
            place) COMPREPLY=($(compgen -W "$(movesim list places --names 2>/dev/null)" -- "$cur")) ;;
            draws) COMPREPLY=($(compgen -W "fitted central" -- "$cur")) ;;
            engine) COMPREPLY=($(compgen -W "local serial" -- "$cur")) ;;
            record) COMPREPLY=($(compgen -W "standard full" -- "$cur")) ;;
            demography|report|json|quiet) COMPREPLY=($(compgen -W "true false" -- "$cur")) ;;
            kind) COMPREPLY=($(compgen -W "people place school" -- "$cur")) ;;
            out|files) COMPREPLY=($(compgen -d -- "$cur")) ;;
        esac
        return
    fi
    case "$command" in
@KEYS@
        place) COMPREPLY=($(compgen -W "list build inspect export files= name= out= overrides= people=" -- "$cur")) ;;
        scenario)
            key="new check show kind= from= out= numbers="
            COMPREPLY=($(compgen -W "$key $(movesim list scenarios --names 2>/dev/null)" -- "$cur")) ;;
        list) COMPREPLY=($(compgen -W "scenarios shocks places" -- "$cur")) ;;
        completion) COMPREPLY=($(compgen -W "bash" -- "$cur")) ;;
        report) COMPREPLY=($(compgen -d -- "$cur")) ;;
    esac
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return 0
}
complete -F _movesim movesim
"""


def bash() -> str:
    """Return the bash script that completes commands, keys and names."""
    rows = []
    for command, table in COMMANDS.items():
        keys = " ".join(f"{key}=" for key in table.table())
        rows.append(f'        {command}) COMPREPLY=($(compgen -W "{keys} --help --cfg -m" -- "$cur")) ;;')
    return _SCRIPT.replace("@COMMANDS@", " ".join(SUMMARIES)).replace("@KEYS@", "\n".join(rows))
