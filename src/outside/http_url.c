/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "outside/http_inside.h"

static void url_free(CURLU **url) {
    curl_url_cleanup(*url);
}
#define URL_CLEANUP __attribute__((cleanup(url_free)))

static void part_free(char **part) {
    curl_free(*part);
}
#define PART_CLEANUP __attribute__((cleanup(part_free)))

/* As libcurl parses a redirect's target, but user:password@ is refused: nothing of that kind is ours. */
#define PARSE_FLAGS (CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_DISALLOW_USER)

static CURLU *parse(const char *text) {
    CURLU *url = curl_url();
    if (!url || curl_url_set(url, CURLUPART_URL, text, PARSE_FLAGS) != CURLUE_OK) {
        curl_url_cleanup(url);
        return NULL;
    }
    return url;
}

static char *part(CURLU *url, CURLUPart which) {
    char *text = NULL;
    if (!url ||
        curl_url_get(url, which, &text, which == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) != CURLUE_OK)
        return NULL;
    return text;
}

bool http_same_origin(const char *url, const char *other) {
    static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    URL_CLEANUP CURLU *left = parse(url);
    URL_CLEANUP CURLU *right = parse(other);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        PART_CLEANUP char *a = part(left, parts[i]);
        PART_CLEANUP char *b = part(right, parts[i]);
        if (!a || !b || strcasecmp(a, b) != 0)
            return false;
        if (parts[i] == CURLUPART_SCHEME && strcasecmp(a, "http") != 0 && strcasecmp(a, "https") != 0)
            return false;
    }
    return true;
}

/* The host without brackets and zone, into `to`. */
static bool host_of(const char *text, char *to, size_t size) {
    URL_CLEANUP CURLU *url = parse(text);
    PART_CLEANUP char *host = part(url, CURLUPART_HOST);
    if (!host)
        return false;
    const char *start = host + (host[0] == '[');
    size_t len = strcspn(start, "]%");
    if (len == 0 || len >= size)
        return false;
    memcpy(to, start, len);
    to[len] = '\0';
    return true;
}

bool http_is_loopback(const char *url) {
    char host[256];
    struct in_addr four;
    struct in6_addr six;
    if (!host_of(url, host, sizeof host))
        return false;
    if (!strcasecmp(host, "localhost"))
        return true;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

/* ---- addresses of the inside */

static bool is_inside_four(uint32_t address) {
    static const struct {
        uint32_t net;
        unsigned bits;
    } nets[] = {
        {0x00000000, 8 }, /* this network */
        {0x0a000000, 8 }, /* private */
        {0x64400000, 10}, /* shared, behind carriers */
        {0x7f000000, 8 }, /* loopback */
        {0xa9fe0000, 16}, /* link-local, cloud metadata */
        {0xac100000, 12}, /* private */
        {0xc0000000, 24}, /* protocol assignments */
        {0xc0a80000, 16}, /* private */
        {0xc6120000, 15}, /* benchmarks */
        {0xe0000000, 3 }  /* multicast, reserved, broadcast */
    };
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++)
        if ((address ^ nets[i].net) >> (32 - nets[i].bits) == 0)
            return true;
    return false;
}

static uint32_t four_at(const struct in6_addr *address, size_t offset) {
    uint32_t four;
    memcpy(&four, address->s6_addr + offset, sizeof four);
    return ntohl(four);
}

static bool is_inside_six(const struct in6_addr *address) {
    static const unsigned char translated[12] = {0x00, 0x64, 0xff, 0x9b};
    const unsigned char *bytes = address->s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(address) || IN6_IS_ADDR_V4COMPAT(address) ||
        !memcmp(bytes, translated, sizeof translated))
        return is_inside_four(four_at(address, 12));
    if (bytes[0] == 0x20 && bytes[1] == 0x02) /* 6to4 */
        return is_inside_four(four_at(address, 2));
    return IN6_IS_ADDR_UNSPECIFIED(address) || IN6_IS_ADDR_LOOPBACK(address) ||
           IN6_IS_ADDR_MULTICAST(address) || IN6_IS_ADDR_LINKLOCAL(address) ||
           IN6_IS_ADDR_SITELOCAL(address) || (bytes[0] & 0xfe) == 0xfc;
}

bool http_is_inside_address(const struct sockaddr *address) {
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    switch (address->sa_family) {
    case AF_INET: memcpy(&four, address, sizeof four); return is_inside_four(ntohl(four.sin_addr.s_addr));
    case AF_INET6: memcpy(&six, address, sizeof six); return is_inside_six(&six.sin6_addr);
    default: return true; /* no other family is of the public network */
    }
}

bool http_is_inside_text(const char *text) {
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, text, &four) == 1)
        return is_inside_four(ntohl(four.s_addr));
    return inet_pton(AF_INET6, text, &six) == 1 && is_inside_six(&six);
}

bool http_is_inside_host(const char *url) {
    char host[256];
    if (!host_of(url, host, sizeof host))
        return false;
    return !strcasecmp(host, "localhost") || http_is_inside_text(host);
}

/* ---- targets */

char *http_resolve(const char *base, const char *location) {
    URL_CLEANUP CURLU *url = parse(base);
    if (!url || curl_url_set(url, CURLUPART_URL, location, PARSE_FLAGS) != CURLUE_OK ||
        curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK)
        return NULL;
    PART_CLEANUP char *absolute = part(url, CURLUPART_URL);
    return mem_text(absolute);
}

enum http_target http_judge_target(const char *from, const char *url, bool allow_http) {
    URL_CLEANUP CURLU *parsed = parse(url);
    PART_CLEANUP char *scheme = part(parsed, CURLUPART_SCHEME);
    PART_CLEANUP char *host = part(parsed, CURLUPART_HOST);
    if (!scheme)
        return HTTP_TARGET_MALFORMED;
    bool secure = !strcasecmp(scheme, "https");
    if (!secure && strcasecmp(scheme, "http") != 0)
        return HTTP_TARGET_SCHEME;
    if (!host || !*host)
        return HTTP_TARGET_MALFORMED;
    if (secure)
        return HTTP_TARGET_OK;
    if (from && !strncasecmp(from, "https:", 6))
        return HTTP_TARGET_DOWNGRADE;
    return allow_http || http_is_loopback(url) ? HTTP_TARGET_OK : HTTP_TARGET_PLAIN;
}

/* ---- text */

int http_encode(struct buf *to, const char *text, bool keep_slash) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    while (*text) {
        size_t len = strspn(text, plain);
        if (keep_slash && text[len] == '/')
            len++;
        int result = len ? buf_add(to, text, len) : buf_format(to, "%%%02X", (unsigned)(unsigned char)*text);
        if (result < 0)
            return result;
        text += len ? len : 1;
    }
    return 0;
}

void http_url_for_people(const char *url, char *to, size_t size) {
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t len = strcspn(host, "?#"), authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', authority);
    if (at) {
        len -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    size_t scheme = host - url >= 3 && strstr(url, "://") ? (size_t)(strstr(url, "://") - url) + 3 : 0;
    if (size == 0)
        return;
    size_t scheme_shown = scheme < size - 1 ? scheme : size - 1;
    memcpy(to, url, scheme_shown);
    size_t left = size - 1 - scheme_shown;
    size_t host_shown = len < left ? len : left;
    memcpy(to + scheme_shown, host, host_shown);
    to[scheme_shown + host_shown] = '\0';
}
