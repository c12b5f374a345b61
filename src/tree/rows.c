/* SPDX-License-Identifier: Apache-2.0 */

/* This file IS the tree: open it first. A directory is a table, a name is a row; the numbers are in
 * rows.h. */

#include "tree/rows.h"

#include "tree/by.h"
#include "tree/chat.h"
#include "tree/find.h"
#include "tree/link.h"
#include "tree/print.h"

/* How long the kernel may believe something. Names of ours lead to the same node for ever. Names that
 * a discovery makes are never expired by a notification, since that would wait for a discovery parked
 * beside them: a second is short, and what is gone meanwhile answers ESTALE, upon which the kernel
 * looks again. Texts have no such time: every stat prints them. */
#define AGES   3600000
#define MINUTE 60000
#define SHORT  1000
#define NEVER  0

/* clang-format off */
#define KIND(what, bits, name_ms, stat_ms) .kind = what, .mode = bits, .entry_ms = name_ms, .attr_ms = stat_ms
#define FOLDER(where, what)  KIND(NODE_FOLDER, 0555, AGES, SHORT), .in = where, .about = what
/* A folder whose times `change.c` tells the kernel of. */
#define TOLD_FOLDER(where, what) KIND(NODE_FOLDER, 0555, AGES, MINUTE), .in = where, .about = what
#define FOUND(where, what)   KIND(NODE_FOLDER, 0555, SHORT, SHORT), .in = where, .about = what
#define TEXT(where, what)    KIND(NODE_TEXT, 0444, AGES, NEVER), .in = where, .about = what
/* Anybody may try: who may not is told EPERM, and it is written down; the kernel would do neither. */
#define CONTROL(where, what) KIND(NODE_CONTROL, 0666, AGES, NEVER), .in = where, .about = what
#define VALUE(where, what)   KIND(NODE_VALUE, 0644, AGES, NEVER), .in = where, .about = what
#define DOCUMENT(where, what) KIND(NODE_DOCUMENT, 0644, AGES, NEVER), .in = where, .about = what
#define QUESTION(where, what) KIND(NODE_QUESTION, 0666, AGES, NEVER), .in = where, .about = what
#define EXCHANGE(where, what) KIND(NODE_EXCHANGE, 0666, AGES, NEVER), .in = where, .about = what
#define ASK(where, what)     KIND(NODE_ASK, 0666, AGES, NEVER), .in = where, .about = what
#define ANSWER(where, what)  KIND(NODE_ANSWER, 0444, AGES, NEVER), .in = where, .about = what
#define FAILURE(where, what) KIND(NODE_FAILURE, 0444, AGES, NEVER), .in = where, .about = what
#define STREAM(where, what)  KIND(NODE_STREAM, 0444, AGES, NEVER), .in = where, .about = what
#define WAITING(where, what) KIND(NODE_WAIT, 0444, AGES, NEVER), .in = where, .about = what
#define LINK(where, what)    KIND(NODE_LINK, 0444, SHORT, SHORT), .in = where, .about = what
#define FILES(where, what)   KIND(NODE_MODEL_FILE, 0444, AGES, AGES), .in = where, .about = what

const struct row tree_rows[ROW_LIMIT] = {
    /* --- the mountpoint --- */
    [ROW_ROOT] = { FOLDER(NO_TABLE, ABOUT_TREE), .name = "", .holds = IN_ROOT,
        .help = "the mountpoint" },
    [ROW_README] = { TEXT(IN_ROOT, ABOUT_TREE), .name = "README",
        .print = print_readme,
        .help = "how to use this tree" },
    [ROW_CTL] = { CONTROL(IN_ROOT, ABOUT_TREE), .name = "ctl",
        .print = print_commands, .commands = COMMAND_ROOT,
        .help = "write commands for everything; reading lists them, and the result of the last one" },
    [ROW_STATUS] = { TEXT(IN_ROOT, ABOUT_TREE), .name = "status",
        .print = print_status,
        .wakes = TREE_WAKE_MODEL | TREE_WAKE_JOB | TREE_WAKE_SETTING,
        .help = "totals: models, jobs, bytes here, speed; `key value` lines" },
    [ROW_STATUS_JSON] = { TEXT(IN_ROOT, ABOUT_TREE), .name = "status.json",
        .print = print_status_json,
        .wakes = TREE_WAKE_MODEL | TREE_WAKE_JOB | TREE_WAKE_SETTING,
        .help = "the same as one JSON object" },
    [ROW_HEALTH] = { TEXT(IN_ROOT, ABOUT_TREE), .name = "health",
        .print = print_health,
        .wakes = TREE_WAKE_MODEL | TREE_WAKE_JOB | TREE_WAKE_SETTING,
        .help = "`ok`, `degraded` or `failing`, then a line a check" },
    [ROW_METRICS] = { TEXT(IN_ROOT, ABOUT_TREE), .name = "metrics",
        .print = print_metrics,
        .help = "numbers of all that is done here, as Prometheus reads them" },
    [ROW_AUDIT] = { TEXT(IN_ROOT, ABOUT_TREE), .name = "audit", .is_private = true,
        .print = print_audit,
        .help = "who gave which command, and how it ended: one JSON object a line; for admins" },
    [ROW_EVENTS] = { STREAM(IN_ROOT, ABOUT_TREE), .name = "events",
        .wakes = TREE_WAKE_EVENT,
        .help = "one JSON object a line, as things happen; `tail -f` follows it" },
    [ROW_JOBS] = { FOLDER(IN_ROOT, ABOUT_TREE), .name = "jobs", .holds = IN_JOBS,
        .wakes = TREE_WAKE_JOB,
        .help = "running and recent jobs" },
    [ROW_CONFIG] = { FOLDER(IN_ROOT, ABOUT_TREE), .name = "config", .holds = IN_CONFIG,
        .help = "the settings, one a file: read what is in force, write to change it" },
    [ROW_SOURCE] = { FOLDER(IN_ROOT, ABOUT_SOURCE), .pattern = "SOURCE", .holds = IN_SOURCE,
        .find = find_source, .list = list_sources,
        .help = "models of a source: `hf` is the Hugging Face Hub" },
    [ROW_BY] = { FOLDER(IN_ROOT, ABOUT_TREE), .name = "by", .holds = IN_BY,
        .help = "links to models, by state, category, format and origin, and to those that are loaded" },
    [ROW_DEFAULT] = { KIND(NODE_LINK, 0444, NEVER, SHORT), .in = IN_ROOT, .about = ABOUT_LINK,
        .pattern = "default",
        .find = find_default, .list = list_default, .print = print_default,
        .help = "the model that is meant when none is named: `ln -sfn hf/ORG/NAME default`" },
    [ROW_ALL_SOCKET] = { LINK(IN_ROOT, ABOUT_TREE), .name = "openai.sock",
        .print = print_socket, .prepare = prepare_socket,
        .help = "the same for all models: the member `model` of a request says which" },
    [ROW_CATALOGUE] = { TEXT(IN_ROOT, ABOUT_TREE), .name = "catalogue.json",
        .print = print_catalogue,
        .wakes = TREE_WAKE_MODEL | TREE_WAKE_JOB,
        .help = "known models, by category, and the state of each; `pull KEY` fetches one" },

    [ROW_AUTO] = { FOLDER(IN_ROOT, ABOUT_TREE), .name = "auto", .holds = IN_AUTO,
        .help = "a model that is chosen for what is asked" },

    /* --- auto/ and below: no model in particular --- */
    [ROW_AUTO_INFER] = { FOLDER(IN_AUTO, ABOUT_TREE), .name = "infer", .holds = IN_AUTO_INFER,
        .help = "the endpoint: write a prompt, read the answer of the model that fits it best" },
    [ROW_AUTO_PROMPT] = { QUESTION(IN_AUTO_INFER, ABOUT_TREE), .name = "prompt", .shape = INFER_PROMPT,
        .print = print_question,
        .help = "write a prompt; closing it asks, and `reply` is the answer" },
    [ROW_AUTO_REPLY] = { ANSWER(IN_AUTO_INFER, ABOUT_TREE), .name = "reply",
        .help = "what you were answered last, as it is made; it ends when the answer is complete" },
    [ROW_AUTO_ERROR] = { FAILURE(IN_AUTO_INFER, ABOUT_TREE), .name = "error",
        .help = "why your last question or its answer failed, in a sentence; empty when it did not" },
    [ROW_AUTO_ASK] = { ASK(IN_AUTO_INFER, ABOUT_TREE), .name = "ask", .shape = INFER_PROMPT,
        .print = print_question,
        .help = "prompt and reply on one descriptor: `exec 3<>ask; echo hi >&3; cat <&3`" },
    [ROW_AUTO_REQUEST] = { EXCHANGE(IN_AUTO_INFER, ABOUT_TREE), .name = "request", .shape = INFER_REQUEST,
        .help = "write JSON of OpenAI's chat completions; images in it ask for a model that sees" },
    [ROW_AUTO_EMBED] = { EXCHANGE(IN_AUTO_INFER, ABOUT_TREE), .name = "embed", .shape = INFER_EMBED,
        .help = "write a text; reading gives its vector, a JSON array" },
    [ROW_AUTO_STATUS] = { FAILURE(IN_AUTO_INFER, ABOUT_TREE), .name = "status",
        .tell = tell_auto_status,
        .help = "which model your last question went to and why, and why no other" },
    [ROW_AUTO_STATUS_JSON] = { FAILURE(IN_AUTO_INFER, ABOUT_TREE), .name = "status.json",
        .tell = tell_auto_status_json,
        .help = "the same as one JSON object" },

    /* --- config/ --- */
    [ROW_OPTION] = { VALUE(IN_CONFIG, ABOUT_OPTION), .pattern = "OPTION",
        .find = find_option, .list = list_options, .print = print_option, .commands = COMMAND_ROOT,
        .wakes = TREE_WAKE_SETTING,
        .help = "the value of one setting in force; write another, or `default` to unset it" },
    [ROW_CONFIG_JSON] = { DOCUMENT(IN_CONFIG, ABOUT_TREE), .name = "config.json",
        .print = print_config_json, .commands = COMMAND_ROOT,
        .wakes = TREE_WAKE_SETTING,
        .help = "all settings as one JSON object, and where each comes from; write one to change several" },
    [ROW_CONFIG_SCHEMA] = { TEXT(IN_CONFIG, ABOUT_TREE), .name = "schema.json",
        .print = print_schema,
        .help = "what each setting may be, as JSON Schema" },

    /* --- jobs/ --- */
    [ROW_JOB] = { FOUND(IN_JOBS, ABOUT_JOB), .pattern = "ID", .holds = IN_JOB,
        .find = find_job, .list = list_jobs,
        .help = "one job, by its number" },

    /* --- jobs/ID/ --- */
    [ROW_JOB_STATUS] = { TEXT(IN_JOB, ABOUT_JOB), .name = "status",
        .print = print_job_status,
        .wakes = TREE_WAKE_JOB | TREE_WAKE_PROGRESS,
        .help = "what it does, for which model, and how far it is" },
    [ROW_JOB_STATUS_JSON] = { TEXT(IN_JOB, ABOUT_JOB), .name = "status.json",
        .print = print_job_status_json,
        .wakes = TREE_WAKE_JOB | TREE_WAKE_PROGRESS,
        .help = "the same as one JSON object" },
    [ROW_JOB_PROGRESS] = { TEXT(IN_JOB, ABOUT_JOB), .name = "progress",
        .print = print_job_progress,
        .wakes = TREE_WAKE_JOB | TREE_WAKE_PROGRESS,
        .help = "one line: percent, bytes, speed, time left" },
    [ROW_JOB_WAIT] = { WAITING(IN_JOB, ABOUT_JOB), .name = "wait",
        .print = print_job_state, .is_busy = is_job_busy, .await = await_job,
        .help = "reading blocks until the job is not under way, then gives its state" },
    [ROW_JOB_LOG] = { TEXT(IN_JOB, ABOUT_JOB), .name = "log",
        .print = print_job_log,
        .wakes = TREE_WAKE_JOB,
        .help = "what happened in it, as `events` told it" },
    [ROW_JOB_CTL] = { CONTROL(IN_JOB, ABOUT_JOB), .name = "ctl",
        .print = print_commands, .commands = COMMAND_JOB,
        .help = "write commands for this job; reading lists them" },

    /* --- hf/ --- */
    [ROW_GROUP] = { KIND(NODE_FOLDER, 0755, SHORT, SHORT), .in = IN_SOURCE, .about = ABOUT_GROUP,
        .pattern = "ORG", .holds = IN_GROUP, .find = find_group, .list = list_groups,
        .help = "who published; listed are those with known models, `rmdir` forgets one" },

    /* --- hf/ORG/ --- */
    [ROW_MODEL] = { FOUND(IN_GROUP, ABOUT_MODEL), .pattern = "NAME", .holds = IN_MODEL,
        .find = find_model, .list = list_models,
        .help = "a model; the first step into an unknown one asks the source once" },
    /* In a source's own folder: it finds and lists what is a ROW_MODEL. */
    [ROW_SOURCE_MODEL] = { FOUND(IN_SOURCE, ABOUT_MODEL), .pattern = "NAME:TAG", .holds = IN_MODEL,
        .find = find_source_model, .list = list_source_models,
        .help = "a model without a folder of its own publisher, as Ollama has them" },

    /* --- hf/ORG/NAME/ --- */
    [ROW_FILES] = { TOLD_FOLDER(IN_MODEL, ABOUT_MODEL), .name = "files", .holds = IN_FILES, .of_files = true,
        .help = "the model's own files: what loaders are pointed at" },
    [ROW_SUMS] = { TEXT(IN_MODEL, ABOUT_MODEL), .name = "SHA256SUMS", .of_files = true,
        .print = print_sums,
        .wakes = TREE_WAKE_MODEL,
        .help = "for `cd files && sha256sum -c ../SHA256SUMS`" },
    [ROW_STATE] = { TEXT(IN_MODEL, ABOUT_MODEL), .name = "state",
        .print = print_state,
        .wakes = TREE_WAKE_MODEL,
        .help = "one word: absent partial queued downloading paused ready failed corrupt disabled remote" },
    [ROW_MODEL_STATUS] = { TEXT(IN_MODEL, ABOUT_MODEL), .name = "status",
        .print = print_model_status,
        .wakes = TREE_WAKE_MODEL,
        .help = "everything known about the state; `key value` lines" },
    [ROW_MODEL_STATUS_JSON] = { TEXT(IN_MODEL, ABOUT_MODEL), .name = "status.json",
        .print = print_model_status_json,
        .wakes = TREE_WAKE_MODEL,
        .help = "the same as one JSON object" },
    [ROW_PROGRESS] = { TEXT(IN_MODEL, ABOUT_MODEL), .name = "progress", .of_files = true,
        .print = print_progress,
        .wakes = TREE_WAKE_MODEL | TREE_WAKE_PROGRESS,
        .help = "one line: percent, bytes, speed, time left" },
    [ROW_WAIT] = { WAITING(IN_MODEL, ABOUT_MODEL), .name = "wait", .of_files = true,
        .print = print_state, .is_busy = is_model_busy, .await = await_model,
        .help = "reading blocks until nothing is under way, then gives the state" },
    [ROW_PLAN] = { TEXT(IN_MODEL, ABOUT_MODEL), .name = "plan", .of_files = true,
        .print = print_plan, .ready = ready_card,
        .help = "what a pull would do: bytes to fetch, disk left after it, variants to choose from" },
    [ROW_MODEL_CTL] = { CONTROL(IN_MODEL, ABOUT_MODEL), .name = "ctl",
        .print = print_commands, .commands = COMMAND_MODEL,
        .help = "write commands for this model; reading lists them, and the result of the last one" },
    [ROW_REPORT] = { TEXT(IN_MODEL, ABOUT_MODEL), .name = "report", .of_files = true,
        .print = print_report,
        .wakes = TREE_WAKE_MODEL,
        .help = "the last validation: a verdict, then a line a check" },
    [ROW_REPORT_JSON] = { TEXT(IN_MODEL, ABOUT_MODEL), .name = "report.json", .of_files = true,
        .print = print_report_json,
        .wakes = TREE_WAKE_MODEL,
        .help = "the same as one JSON object" },

    [ROW_MODEL_CONFIG] = { FOLDER(IN_MODEL, ABOUT_MODEL), .name = "config", .holds = IN_MODEL_CONFIG,
        .help = "the settings of this model, one a file" },

    [ROW_INFER] = { FOLDER(IN_MODEL, ABOUT_MODEL), .name = "infer", .holds = IN_INFER,
        .help = "the endpoint: write a prompt, read the answer" },

    /* --- hf/ORG/NAME/infer/ --- */
    [ROW_PROMPT] = { QUESTION(IN_INFER, ABOUT_MODEL), .name = "prompt", .shape = INFER_PROMPT,
        .print = print_question,
        .help = "write a prompt; closing it asks, and `reply` is the answer" },
    [ROW_REPLY] = { ANSWER(IN_INFER, ABOUT_MODEL), .name = "reply",
        .help = "what you were answered last, as it is made; it ends when the answer is complete" },
    [ROW_ERROR] = { FAILURE(IN_INFER, ABOUT_MODEL), .name = "error",
        .help = "why your last question or its answer failed, in a sentence; empty when it did not" },
    [ROW_ASK] = { ASK(IN_INFER, ABOUT_MODEL), .name = "ask", .shape = INFER_PROMPT,
        .print = print_question,
        .help = "prompt and reply on one descriptor: `exec 3<>ask; echo hi >&3; cat <&3`" },
    [ROW_REQUEST] = { EXCHANGE(IN_INFER, ABOUT_MODEL), .name = "request", .shape = INFER_REQUEST,
        .help = "write JSON of OpenAI's chat completions; reading gives the JSON, or the events" },
    [ROW_EMBED] = { EXCHANGE(IN_INFER, ABOUT_MODEL), .name = "embed", .shape = INFER_EMBED,
        .help = "write a text; reading gives its vector, a JSON array" },
    [ROW_SYSTEM] = { DOCUMENT(IN_INFER, ABOUT_MODEL), .name = "system", .commands = COMMAND_MODEL,
        .command = "system", .print = print_system, .wakes = TREE_WAKE_MODEL,
        .help = "the system prompt of all questions by `prompt`; `none` is none" },
    [ROW_PARAMS] = { VALUE(IN_INFER, ABOUT_MODEL), .name = "params", .commands = COMMAND_MODEL,
        .command = "param", .print = print_params, .wakes = TREE_WAKE_MODEL,
        .help = "parameters, one `name value` a line: > replaces all, >> changes some" },
    [ROW_INFER_STATUS] = { FAILURE(IN_INFER, ABOUT_MODEL), .name = "status",
        .tell = tell_infer_status, .wakes = TREE_WAKE_MODEL,
        .help = "loaded or not, by which engine, what waits and your place there, what was answered" },
    [ROW_INFER_STATUS_JSON] = { FAILURE(IN_INFER, ABOUT_MODEL), .name = "status.json",
        .tell = tell_infer_status_json, .wakes = TREE_WAKE_MODEL,
        .help = "the same as one JSON object" },

    [ROW_USAGE] = { TEXT(IN_INFER, ABOUT_MODEL), .name = "usage",
        .print = print_usage,
        .help = "what it was asked so far: questions, tokens and seconds, a line a day and user" },
    [ROW_USAGE_JSON] = { TEXT(IN_INFER, ABOUT_MODEL), .name = "usage.json",
        .print = print_usage_json,
        .help = "the same as one JSON array" },
    [ROW_CHATS] = { KIND(NODE_FOLDER, 01777, AGES, SHORT), .in = IN_INFER, .about = ABOUT_MODEL,
        .name = "chats", .holds = IN_CHATS,
        .help = "your talks with it: `mkdir` begins one, `rmdir` deletes it; they go with the model" },

    /* --- hf/ORG/NAME/infer/chats/: a name is another one for each user, so that it is never believed --- */
    [ROW_CHAT] = { KIND(NODE_FOLDER, 0700, NEVER, SHORT), .in = IN_CHATS, .about = ABOUT_CHAT,
        .pattern = "CHAT", .holds = IN_CHAT, .find = find_chat, .list = list_chats,
        .help = "one of them: its model remembers what was said; no other user sees it" },

    /* --- hf/ORG/NAME/infer/chats/CHAT/ --- */
    [ROW_CHAT_PROMPT] = { KIND(NODE_QUESTION, 0600, AGES, NEVER), .in = IN_CHAT, .about = ABOUT_CHAT,
        .name = "prompt", .shape = INFER_PROMPT, .print = print_question,
        .help = "write what you say next; closing it asks, one after the other" },
    [ROW_CHAT_REPLY] = { KIND(NODE_ANSWER, 0400, AGES, NEVER), .in = IN_CHAT, .about = ABOUT_CHAT,
        .name = "reply",
        .help = "the answer to that, as it is made; `rm` of it ends the answer, which is not kept then" },
    [ROW_CHAT_ERROR] = { KIND(NODE_FAILURE, 0400, AGES, NEVER), .in = IN_CHAT, .about = ABOUT_CHAT,
        .name = "error",
        .help = "why the last answer or change of it failed, or a turn was not kept, in a sentence" },
    [ROW_CHAT_SYSTEM] = { KIND(NODE_DOCUMENT, 0600, AGES, NEVER), .in = IN_CHAT, .about = ABOUT_CHAT,
        .name = "system", .print = print_chat_system,
        .help = "its own system prompt; `none`: it has none, `default`: the model's" },
    [ROW_CHAT_PARAMS] = { KIND(NODE_VALUE, 0600, AGES, NEVER), .in = IN_CHAT, .about = ABOUT_CHAT,
        .name = "params", .print = print_chat_params,
        .help = "its own parameters before the model's: > replaces all of its own, >> changes some" },
    [ROW_CHAT_HISTORY] = { KIND(NODE_TEXT, 0400, AGES, NEVER), .in = IN_CHAT, .about = ABOUT_CHAT,
        .name = "history", .print = print_chat_history,
        .help = "all that was said, one JSON object a line" },
    [ROW_CHAT_STATUS] = { KIND(NODE_TEXT, 0400, AGES, NEVER), .in = IN_CHAT, .about = ABOUT_CHAT,
        .name = "status", .print = print_chat_status,
        .help = "how long it is, what is not sent since the context is full, what waits, what failed" },

    [ROW_SOCKET] = { LINK(IN_INFER, ABOUT_MODEL), .name = "openai.sock",
        .print = print_socket, .prepare = prepare_socket,
        .help = "a Unix socket that speaks OpenAI's HTTP interface for this model" },

    /* --- hf/ORG/NAME/config/ --- */
    [ROW_MODEL_OPTION] = { VALUE(IN_MODEL_CONFIG, ABOUT_MODEL_OPTION), .pattern = "OPTION",
        .find = find_option, .list = list_options, .print = print_option, .commands = COMMAND_MODEL,
        .help = "the value of one setting in force; write another, or `default` to unset it" },
    [ROW_MODEL_CONFIG_JSON] = { DOCUMENT(IN_MODEL_CONFIG, ABOUT_MODEL), .name = "config.json",
        .print = print_config_json, .commands = COMMAND_MODEL,
        .wakes = TREE_WAKE_MODEL,
        .help = "all of them as one JSON object; write one to change several at once" },
    [ROW_MODEL_SCHEMA] = { TEXT(IN_MODEL_CONFIG, ABOUT_MODEL), .name = "schema.json",
        .print = print_schema,
        .help = "what each of them may be, as JSON Schema" },
    [ROW_REVISIONS] = { FOLDER(IN_MODEL, ABOUT_MODEL), .name = "revisions", .holds = IN_REVISIONS,
        .of_files = true,
        .wakes = TREE_WAKE_MODEL,
        .help = "the revisions that are kept, and the names that led to them when they were last asked" },

    /* --- hf/ORG/NAME/revisions/ --- */
    [ROW_REVISION] = { FOUND(IN_REVISIONS, ABOUT_REVISION), .pattern = "ID", .holds = IN_REVISION,
        .find = find_revision, .list = list_revisions,
        .help = "a revision, by the first 12 digits of its commit" },
    [ROW_REVISION_NAME] = { LINK(IN_REVISIONS, ABOUT_REVISION_NAME), .pattern = "REVISION",
        .find = find_revision_name, .list = list_revision_names, .print = print_revision_name,
        .help = "a branch or tag: a link to where it led when it was last asked" },
    [ROW_REVISION_COMMIT] = { LINK(IN_REVISIONS, ABOUT_REVISION), .pattern = "COMMIT",
        .find = find_commit, .list = list_nothing, .print = print_commit,
        .help = "the whole commit, or 7 digits of it and more, lead there as well; not listed" },

    /* --- hf/ORG/NAME/revisions/ID/ --- */
    [ROW_REVISION_FILES] = { FOLDER(IN_REVISION, ABOUT_REVISION), .name = "files",
        .holds = IN_REVISION_FILES,
        .help = "its files; what other revisions have as well is there already" },
    [ROW_REVISION_SUMS] = { TEXT(IN_REVISION, ABOUT_REVISION), .name = "SHA256SUMS",
        .print = print_revision_sums,
        .help = "for `cd files && sha256sum -c ../SHA256SUMS`" },
    [ROW_REVISION_FILE] = { FILES(IN_REVISION_FILES, ABOUT_FILE), .pattern = "FILE",
        .find = find_file, .page = page_files,
        .help = "a file of this revision; the same inode as in files/ while it is the selected one" },
    [ROW_REVISION_FOLDER] = { FOLDER(IN_REVISION_FILES, ABOUT_FILE), .pattern = "FOLDER",
        .holds = IN_REVISION_FILES,
        .help = "a folder of it" },

    [ROW_CARD] = { TEXT(IN_MODEL, ABOUT_MODEL), .name = "card",
        .print = print_card, .ready = ready_card,
        .help = "architecture, parameters, context, licence, memory: opening it reads heads of files once" },
    [ROW_CARD_JSON] = { TEXT(IN_MODEL, ABOUT_MODEL), .name = "card.json",
        .print = print_card_json, .ready = ready_card,
        .help = "the same as one JSON object, with the chat template" },

    /* --- hf/ORG/NAME/files/ and below --- */
    [ROW_FILE] = { FILES(IN_FILES, ABOUT_FILE), .pattern = "FILE",
        .find = find_file, .page = page_files,
        .help = "a file of the selected revision; reading fetches what is not here yet, and checks it" },
    [ROW_FOLDER] = { TOLD_FOLDER(IN_FILES, ABOUT_FILE), .pattern = "FOLDER", .holds = IN_FILES,
        .help = "a folder of it" },

    /* --- by/ and below --- */
    [ROW_BY_KIND] = { FOLDER(IN_BY, ABOUT_BY), .pattern = "KIND", .holds = IN_BY_KIND,
        .find = find_kind, .list = list_kinds, .help = "`state`, `category`, `format` or `origin`" },
    [ROW_BY_VALUE] = { FOUND(IN_BY_KIND, ABOUT_BY), .pattern = "VALUE", .holds = IN_BY_VALUE,
        .find = find_value, .list = list_values,
        .help = "what models have: `by/state/ready`, `by/category/llm`; listed are those that one has" },
    [ROW_BY_LINK] = { LINK(IN_BY_VALUE, ABOUT_BY), .pattern = "ORG--NAME",
        .find = find_link, .list = list_links, .print = print_link, .help = "a link to the model" },
    [ROW_LOADED] = { FOLDER(IN_BY, ABOUT_TREE), .name = "loaded", .holds = IN_LOADED,
        .wakes = TREE_WAKE_MODEL, .help = "models that are loaded into an engine here, now" },
    [ROW_LOADED_LINK] = { LINK(IN_LOADED, ABOUT_MODEL), .pattern = "ORG--NAME",
        .find = find_loaded, .list = list_loaded, .print = print_loaded, .help = "a link to the model" },
};
/* clang-format on */

/* What help calls each directory. */
const char *const tree_table_paths[TABLE_COUNT] = {
    [IN_ROOT] = "",
    [IN_CONFIG] = "config/",
    [IN_JOBS] = "jobs/",
    [IN_JOB] = "jobs/ID/",
    [IN_SOURCE] = "hf/",
    [IN_GROUP] = "hf/ORG/",
    [IN_MODEL] = "hf/ORG/NAME/",
    [IN_MODEL_CONFIG] = "hf/ORG/NAME/config/",
    [IN_INFER] = "hf/ORG/NAME/infer/",
    [IN_CHATS] = "hf/ORG/NAME/infer/chats/",
    [IN_CHAT] = "hf/ORG/NAME/infer/chats/CHAT/",
    [IN_FILES] = "hf/ORG/NAME/files/",
    [IN_REVISIONS] = "hf/ORG/NAME/revisions/",
    [IN_REVISION] = "hf/ORG/NAME/revisions/ID/",
    [IN_REVISION_FILES] = "hf/ORG/NAME/revisions/ID/files/",
    [IN_AUTO] = "auto/",
    [IN_AUTO_INFER] = "auto/infer/",
    [IN_BY] = "by/",
    [IN_BY_KIND] = "by/KIND/",
    [IN_BY_VALUE] = "by/KIND/VALUE/",
    [IN_LOADED] = "by/loaded/",
};
