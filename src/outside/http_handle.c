/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "outside/http_inside.h"

#define READ_BYTES   (512L << 10) /* what one recv() may bring */
#define IDLE_HANDLES 64

/* ---- what curl calls */

static size_t on_line(char *data, size_t size, size_t count, void *context) {
    return transfer_line(context, data, size * count) ? size * count : 0;
}

static size_t on_bytes(char *data, size_t size, size_t count, void *context) {
    switch (transfer_bytes(context, data, size * count)) {
    case TAKEN: return size * count;
    case LATER: return CURL_WRITEFUNC_PAUSE;
    default: return 0;
    }
}

static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)purpose;
    struct transfer *transfer = context;
    if (!transfer->loop->proxied &&
        !transfer_address_allowed(transfer, http_is_inside_address(&address->addr)))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Before each request, on new connections and kept ones alike: on_socket() does not see the latter. */
static int on_connected(void *context, char *address, char *own_address, int port, int own_port) {
    (void)own_address;
    (void)port;
    (void)own_port;
    struct transfer *transfer = context;
    bool is_inside =
        transfer->loop->proxied ? http_is_inside_host(transfer->url) : http_is_inside_text(address);
    if (!transfer_address_allowed(transfer, is_inside))
        return CURL_PREREQFUNC_ABORT;
    if (transfer->hops == 0)
        transfer->first_inside = is_inside;
    transfer_connecting(transfer);
    return CURL_PREREQFUNC_OK;
}

/* ---- handles */

/* It fails for an option that libcurl does not know, or out of memory: neither can be mended here. */
#define SET(easy, option, value)                                     \
    do {                                                             \
        CURLcode set_result = curl_easy_setopt(easy, option, value); \
        if (set_result != CURLE_OK)                                  \
            abort();                                                 \
    } while (0)

static struct http_handle *handle_new(const struct http_loop *loop) {
    struct http_handle *handle = mem_new(sizeof *handle);
    CURL *easy = handle->easy = curl_easy_init();
    if (!easy)
        abort();
    _Static_assert(sizeof handle->error >= CURL_ERROR_SIZE, "libcurl writes so much");
    SET(easy, CURLOPT_ERRORBUFFER, handle->error);
    SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
    SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    SET(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(easy, CURLOPT_NOSIGNAL, 1L);
    SET(easy, CURLOPT_NOPROGRESS, 1L);
    /* Ranges travel on connections of their own: several TCP streams are faster than one. */
    SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(easy, CURLOPT_TCP_NODELAY, 1L);
    SET(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(easy, CURLOPT_BUFFERSIZE, READ_BYTES);
    SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    SET(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    /* Else the loop would wait for the resolver's thread when a request ends before its name is known. */
    SET(easy, CURLOPT_QUICK_EXIT, 1L);
    if (loop->user_agent)
        SET(easy, CURLOPT_USERAGENT, loop->user_agent);
    if (loop->ca_file)
        SET(easy, CURLOPT_CAINFO, loop->ca_file);
    SET(easy, CURLOPT_HEADERFUNCTION, on_line);
    SET(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    SET(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    SET(easy, CURLOPT_PREREQFUNCTION, on_connected);
    return handle;
}

void handle_free(struct http_handle *handle) {
    curl_easy_cleanup(handle->easy);
    free(handle);
}

struct http_handle *handle_get(struct http_loop *loop) {
    struct list *link = list_shift(&loop->idle);
    if (!link)
        return handle_new(loop);
    loop->idle_count--;
    return list_entry(link, struct http_handle, link);
}

void handle_put(struct http_loop *loop, struct http_handle *handle) {
    if (loop->idle_count == IDLE_HANDLES) {
        handle_free(handle);
        return;
    }
    SET(handle->easy, CURLOPT_HTTPHEADER, NULL); /* the list is the transfer's, and may hold a secret */
    list_append(&loop->idle, &handle->link);
    loop->idle_count++;
}

static void add_header(struct transfer *transfer, const char *name, const char *value) {
    struct buf BUF_CLEANUP line = BUF_INIT;
    (void)buf_format(&line, "%s: %s", name, value); /* no limit: can't fail */
    struct curl_slist *longer = curl_slist_append(transfer->headers, buf_text(&line));
    if (!longer)
        abort();
    transfer->headers = longer;
    explicit_bzero(line.data, line.len);
}

static void make_headers(struct transfer *transfer) {
    const struct http_request *request = transfer->request;
    char range[64];
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    add_header(transfer, "Accept", request->accept ? request->accept : "*/*");
    add_header(transfer, "Accept-Encoding", "identity");
    if (request->has_range) {
        (void)snprintf(range, sizeof range, "bytes=%" PRIu64 "-%" PRIu64, request->first,
            request->last); /* fits */
        add_header(transfer, "Range", range);
    }
    if (request->post) {
        add_header(transfer, "Content-Type", request->post_type);
        add_header(transfer, "Expect", ""); /* none: no round trip before a long prompt */
    }
    if (request->authorization && transfer->with_secret)
        add_header(transfer, "Authorization", request->authorization);
}

/* A handle may have sent a body for the request before. */
static void set_method(CURL *easy, const struct http_request *request) {
    if (!request->post) {
        SET(easy, CURLOPT_HTTPGET, 1L);
        return;
    }
    SET(easy, CURLOPT_POST, 1L);
    SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->post_len);
    SET(easy, CURLOPT_POSTFIELDS, (const char *)request->post);
}

void handle_prepare(struct http_handle *handle, struct transfer *transfer) {
    CURL *easy = handle->easy;
    const struct http_request *request = transfer->request;
    handle->error[0] = '\0';
    make_headers(transfer);
    SET(easy, CURLOPT_URL, transfer->url);
    SET(easy, CURLOPT_HTTPHEADER, (struct curl_slist *)transfer->headers);
    SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(request->connect_ms ? request->connect_ms : HTTP_CONNECT_MS));
    SET(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
    set_method(easy, request);
    /* What is on this machine is never asked through a proxy: plain http with a token would leave it. */
    SET(easy, CURLOPT_PROXY, http_is_loopback(transfer->url) ? "" : transfer->loop->proxy);
    SET(easy, CURLOPT_PRIVATE, transfer);
    SET(easy, CURLOPT_HEADERDATA, transfer);
    SET(easy, CURLOPT_WRITEDATA, transfer);
    SET(easy, CURLOPT_OPENSOCKETDATA, transfer);
    SET(easy, CURLOPT_PREREQDATA, transfer);
}

/* ---- errors */

int handle_error(int code, bool judged) {
    static const struct {
        int code, error, after_head;
    } rows[] = {
        {CURLE_COULDNT_RESOLVE_PROXY,    -ERR_UNREACHABLE, 0              },
        {CURLE_COULDNT_RESOLVE_HOST,     -ERR_UNREACHABLE, 0              },
        {CURLE_COULDNT_CONNECT,          -ERR_UNREACHABLE, 0              },
        {CURLE_OPERATION_TIMEDOUT,       -ERR_UNREACHABLE, -ERR_SHORT_BODY},
        {CURLE_GOT_NOTHING,              -ERR_UNREACHABLE, -ERR_SHORT_BODY},
        {CURLE_SEND_ERROR,               -ERR_UNREACHABLE, -ERR_SHORT_BODY},
        {CURLE_RECV_ERROR,               -ERR_UNREACHABLE, -ERR_SHORT_BODY},
        {CURLE_PARTIAL_FILE,             -ERR_SHORT_BODY,  -ERR_SHORT_BODY},
        {CURLE_PROXY,                    -ERR_UNREACHABLE, 0              },
        {CURLE_SSL_CONNECT_ERROR,        -ERR_TLS,         0              },
        {CURLE_PEER_FAILED_VERIFICATION, -ERR_TLS,         0              },
        {CURLE_SSL_CERTPROBLEM,          -ERR_TLS,         0              },
        {CURLE_SSL_CIPHER,               -ERR_TLS,         0              },
        {CURLE_SSL_CACERT_BADFILE,       -ERR_TLS,         0              },
        {CURLE_SSL_ENGINE_INITFAILED,    -ERR_TLS,         0              },
        {CURLE_SSL_ISSUER_ERROR,         -ERR_TLS,         0              },
        {CURLE_SSL_CRL_BADFILE,          -ERR_TLS,         0              },
        {CURLE_SSL_INVALIDCERTSTATUS,    -ERR_TLS,         0              },
        {CURLE_SSL_PINNEDPUBKEYNOTMATCH, -ERR_TLS,         0              },
        {CURLE_OUT_OF_MEMORY,            -ENOMEM,          0              },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code)
            return judged && rows[i].after_head ? rows[i].after_head : rows[i].error;
    return -ERR_ANSWER;
}
