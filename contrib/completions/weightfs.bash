# SPDX-License-Identifier: Apache-2.0
# Completion of weightfs for bash. Verbs, flags and what a verb takes come from `weightfs help`, options
# from `weightfs config --dump`, models from `weightfs ls`, jobs from `weightfs jobs`.

_weightfs_verbs() { weightfs help 2>/dev/null | awk '/^  [a-z][a-z_-]* /{ print $1 }'; }
_weightfs_flags() { weightfs help "$1" 2>/dev/null | grep -oE '^ +(-[a-zA-Z], )?--?[a-z-]+' | tr -d ' ' | tr , '\n'; }
_weightfs_options() { weightfs config --dump 2>/dev/null | awk '{ print $1 "=" }'; }
_weightfs_takes() { weightfs help "$1" 2>/dev/null | head -n 1 | grep -qE -- "$2"; }
_weightfs_categories() { weightfs recommended --all ${1:+-m "$1"} 2>/dev/null | awk 'NR > 1 { print $2 }' | sort -u; }
_weightfs_jobs() { weightfs jobs ${1:+-m "$1"} 2>/dev/null | awk 'NR > 1 { print $1 }'; }
_weightfs_settings() { weightfs configure ${1:+-m "$1"} 2>/dev/null | awk 'NR > 1 { print $1 "=" }'; }
_weightfs_words() { weightfs help "$1" 2>/dev/null | head -n 1 | cut -d' ' -f4- | tr '[]| ' '\n' | sed -nE 's/^([a-z][a-z-]*=?).*/\1/p'; }
_weightfs_models() { weightfs ls ${1:+-m "$1"} 2>/dev/null | awk 'NR > 1 { print $1 }'; }
_weightfs_mounts() { awk '/ - fuse\.weightfs /{ print $5 }' /proc/self/mountinfo; }

_weightfs() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} mount= i
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_weightfs_verbs) --help --version" -- "$word")
        return
    fi
    for ((i = 2; i < COMP_CWORD; i++)); do
        [ "${COMP_WORDS[i]}" != -m ] || mount=${COMP_WORDS[i + 1]}
    done
    case $before in
    -m | --mount) mapfile -t COMPREPLY < <(compgen -W "$(_weightfs_mounts)" -- "$word"); return ;;
    -o) compopt -o nospace; mapfile -t COMPREPLY < <(compgen -W "$(_weightfs_options)" -- "$word"); return ;;
    --category) mapfile -t COMPREPLY < <(compgen -W "$(_weightfs_categories "$mount")" -- "$word"); return ;;
    --store) compopt -o dirnames; return ;;
    --config) compopt -o default; return ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_weightfs_flags "$verb")" -- "$word")
        return
    fi
    case $verb in
    mount) compopt -o dirnames ;;
    umount) mapfile -t COMPREPLY < <(compgen -W "$(_weightfs_mounts)" -- "$word") ;;
    help) mapfile -t COMPREPLY < <(compgen -W "$(_weightfs_verbs)" -- "$word") ;;
    *)
        # bash takes a colon for the end of a word, keys have one: the whole key is matched, and what stands behind its colon is put in
        word=${COMP_LINE:0:COMP_POINT}
        word=${word##* }
        local found=
        ! _weightfs_takes "$verb" 'KEY([^=]|$)' || { compopt -o default 2>/dev/null; found+=" $(_weightfs_models "$mount")"; } # default: paths, where nothing matches
        ! _weightfs_takes "$verb" JOB || found+=" $(_weightfs_jobs "$mount")"
        if _weightfs_takes "$verb" 'NAME\[=VALUE'; then
            compopt -o nospace 2>/dev/null
            found+=" $(_weightfs_settings "$mount")"
        elif _weightfs_takes "$verb" 'NAME( VALUE|…)'; then
            found+=" $(_weightfs_settings "$mount" | tr -d =)"
        fi
        found+=" $(_weightfs_words "$verb")"
        mapfile -t COMPREPLY < <(compgen -W "$found" -- "$word")
        [[ $word != *:* ]] || COMPREPLY=("${COMPREPLY[@]#"${word%:*}":}")
        ;;
    esac
}
complete -F _weightfs weightfs
