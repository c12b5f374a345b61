/* SPDX-License-Identifier: Apache-2.0 */
/* what http knows without a network: fields, ranges, links, waits, origins, addresses, escapes */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <time.h>

#include "outside/http_inside.h"
#include "check.h"

/* ---- fields */

static struct http_head head_of(struct buf *fields, const char *text, size_t len) {
    buf_clear(fields);
    (void)buf_add(fields, text, len);
    return (struct http_head){.status = 200, .is_last = true, .fields = fields};
}
#define HEAD(text) head_of(&fields, text, sizeof(text) - 1)

static void fields_are_found(void) {
    struct buf BUF_CLEANUP fields = BUF_INIT;
    char value[32] = "before";
    struct http_head head =
        HEAD("X-One: 1\r\nETag:   \"abc\"  \r\nEmpty:\r\nX-One-More: 2\r\nNo colon\r\nLast: end");
    CHECK(http_head_get(&head, "etag", value, sizeof value));
    CHECK_TEXT(value, "\"abc\"");
    CHECK(http_head_get(&head, "X-ONE", value, sizeof value));
    CHECK_TEXT(value, "1");
    CHECK(http_head_get(&head, "Empty", value, sizeof value));
    CHECK_TEXT(value, "");
    CHECK(http_head_get(&head, "Last", value, sizeof value));
    CHECK_TEXT(value, "end");
    CHECK(!http_head_get(&head, "X", value, sizeof value));
    CHECK(!http_head_get(&head, "No colon", value, sizeof value));
    CHECK(!http_head_get(&head, "X-None", value, sizeof value));
    CHECK(!http_head_get(&head, "ETag", value, 5)); /* with its NUL it needs six */
    CHECK(http_head_get(&head, "ETag", value, 6));
}

static void doubtful_fields_are_absent(void) {
    struct buf BUF_CLEANUP fields = BUF_INIT;
    char value[64];
    struct http_head head =
        HEAD("Size: 1\r\nSize: 2\r\nSame: x\r\nSame:  x \r\nNul: a\0b\r\nFolded: a\r\n b\r\nNext: n\r\n");
    CHECK(!http_head_get(&head, "Size", value, sizeof value));
    CHECK(http_head_get(&head, "Same", value, sizeof value));
    CHECK(!http_head_get(&head, "Nul", value, sizeof value));
    CHECK(!http_head_get(&head, "Folded", value, sizeof value));
    CHECK(http_head_get(&head, "Next", value, sizeof value));
    head = HEAD("");
    CHECK(!http_head_get(&head, "Any", value, sizeof value));
}

static void status_lines_are_read(void) {
    static const struct {
        const char *line;
        int status; /* 0: malformed */
    } rows[] = {
        {"HTTP/1.1 200 OK\r\n",  200},
        {"HTTP/1.0 404\r\n",     404},
        {"http/1.1  302 x",      302},
        {"HTTP/1.1\r\n",         0  },
        {"HTTP/1.1 20\r\n",      0  },
        {"HTTP/1.1 2000 OK\r\n", 0  },
        {"HTTP/1.1 abc\r\n",     0  },
        {"HTTP/1.1 099 x\r\n",   0  },
        {"",                     0  },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int status = 0;
        CHECK(http_parse_status(rows[i].line, strlen(rows[i].line), &status) == (rows[i].status != 0));
        if (rows[i].status)
            CHECK_NUMBER(status, rows[i].status);
    }
}

/* ---- ranges */

static void content_ranges_are_exact(void) {
    uint64_t first = 7, last = 7, total = 7;
    CHECK(http_parse_content_range("bytes 0-99/1000", &first, &last, &total));
    CHECK(first == 0 && last == 99 && total == 1000);
    CHECK(http_parse_content_range("Bytes  5-5/*", &first, &last, &total));
    CHECK(first == 5 && last == 5 && total == UINT64_MAX);
    CHECK(http_parse_content_range("bytes 18446744073709551612-18446744073709551613/18446744073709551614",
        &first, &last, &total));
    static const char *const bad[] = {"", "bytes", "bytes ", "bytes x-y/z", "bytes */5", "bytes 0-99",
        "bytes 0-99/", "bytes 9-0/100", "bytes 0-100/100", "bytes -1-5/10", "bytes 0-5/10 ", "bytes 0-5/10,",
        "bits 0-5/10", "bytes=0-5/10", "bytes 0 -5/10", "bytes +0-5/10",
        "bytes 0-18446744073709551616/18446744073709551617", "bytes 0-5/18446744073709551615",
        "bytes 0x0-5/10"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        first = last = total = 7;
        CHECK(!http_parse_content_range(bad[i], &first, &last, &total));
        CHECK(first == 7 && last == 7 && total == 7);
    }
}

/* ---- links */

static void next_links_are_found(void) {
    char to[64];
    CHECK(http_parse_link_next("<https://h/a?cursor=x,y;z>; rel=\"next\"", to, sizeof to));
    CHECK_TEXT(to, "https://h/a?cursor=x,y;z");
    CHECK(http_parse_link_next("<p>; rel=\"prev\", <n>;rel=next", to, sizeof to));
    CHECK_TEXT(to, "n");
    CHECK(http_parse_link_next("<n>; title=\"a, b; rel=x\"; REL=\"last Next\"", to, sizeof to));
    CHECK_TEXT(to, "n");
    CHECK(http_parse_link_next("<a>; rel=\"xet-auth\", <b>; rel=\"next\", <c>; rel=\"next\"", to, sizeof to));
    CHECK_TEXT(to, "b");
    static const char *const bad[] = {"", "n; rel=next", "<n>", "<n; rel=next", "<>; rel=next",
        "<n>; rel=nextish", "<n>; rel=\"unnext\"", "<n>; relx=next", "<n>; rel", "<n>; rel=", "<n>; =next",
        "<n>; rel=\"", ",,,", "<a>; rel=prev, junk <n>; rel=next"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!http_parse_link_next(bad[i], to, sizeof to));
    CHECK(!http_parse_link_next("<123456>; rel=next", to, 6));
    CHECK(http_parse_link_next("<123456>; rel=next", to, 7));
}

/* ---- waits */

static void retry_after_is_understood(void) {
    static const struct {
        const char *fields;
        int seconds; /* -1: not said */
    } rows[] = {
        {"Retry-After: 120\r\n",                                120      },
        {"Retry-After: 0\r\n",                                  0        },
        {"Retry-After: 99999999999999999999\r\n",               -1       },
        {"Retry-After: 9999999999\r\n",                         24 * 3600},
        {"Retry-After: -5\r\n",                                 -1       },
        {"Retry-After: soon\r\n",                               -1       },
        {"Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n",      0        },
        {"Retry-After: Sun, 06 Xyz 1994 08:49:37 GMT\r\n",      -1       },
        {"RateLimit: \"api\";r=0;t=55\r\n",                     56       },
        {"RateLimit: \"api\";r=0;t=55\r\nRetry-After: 300\r\n", 56       },
        {"RateLimit: \"api\";r=10;t=55\r\n",                    -1       },
        {"RateLimit: \"api\";r=10;t=55\r\nRetry-After: 3\r\n",  3        },
        {"RateLimit: junk\r\n",                                 -1       },
        {"",                                                    -1       },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf BUF_CLEANUP fields = BUF_INIT;
        struct http_head head = head_of(&fields, rows[i].fields, strlen(rows[i].fields));
        unsigned seconds = 0;
        CHECK(http_head_retry_after(&head, &seconds) == (rows[i].seconds >= 0));
        if (rows[i].seconds >= 0)
            CHECK_NUMBER(seconds, rows[i].seconds);
    }
}

static void retry_after_may_be_a_date(void) {
    struct buf BUF_CLEANUP fields = BUF_INIT;
    char line[100];
    time_t then = time(NULL) + 100;
    struct tm parts;
    unsigned seconds = 0;
    strftime(line, sizeof line, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&then, &parts));
    struct http_head head = head_of(&fields, line, strlen(line));
    CHECK(http_head_retry_after(&head, &seconds));
    CHECK(seconds >= 95 && seconds <= 101);
}

/* ---- origins and addresses */

static void origins_are_compared(void) {
    CHECK(http_same_origin("https://h/a", "https://H:443/b?c"));
    CHECK(http_same_origin("http://127.0.0.1:80/", "http://127.0.0.1"));
    CHECK(http_same_origin("http://[::1]:8080/", "http://[::1]:8080/x"));
    CHECK(!http_same_origin("https://h/", "http://h/"));
    CHECK(!http_same_origin("https://h/", "https://h:444/"));
    CHECK(!http_same_origin("https://h/", "https://h.evil/"));
    CHECK(!http_same_origin("https://h/", "https://h@evil/"));
    CHECK(!http_same_origin("https://h@evil/", "https://h@evil/"));
    CHECK(!http_same_origin("file:///a", "file:///a"));
    CHECK(!http_same_origin("ftp://h/", "ftp://h/"));
    CHECK(!http_same_origin("", ""));
    CHECK(!http_same_origin("not a url", "not a url"));
}

static void loopback_is_known(void) {
    static const char *const inside[] = {"http://localhost/", "http://LocalHost:1/x", "http://127.0.0.1/",
        "http://127.9.9.9:80", "http://[::1]:9/", "http://127.1/", "http://0x7f000001/"};
    static const char *const outside[] = {"http://localhost.evil/", "http://128.0.0.1/",
        "http://127.0.0.1.evil/", "http://[::2]/", "http://10.0.0.1/", "http://127.0.0.1@evil/", "127.0.0.1",
        "", "http://evil/?http://localhost/"};
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        CHECK(http_is_loopback(inside[i]));
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        CHECK(!http_is_loopback(outside[i]));
}

static void addresses_of_the_inside_are_known(void) {
    static const char *const inside[] = {"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255",
        "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1",
        "::", "fe80::1", "fd00::1", "fc12::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "2002:c0a8:101::1"};
    static const char *const outside[] = {"1.1.1.1", "172.15.0.1", "172.32.0.1", "192.167.1.1", "100.128.0.1",
        "223.255.255.255", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1",
        "localhost", "", "1.2.3"};
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        CHECK(http_is_inside_text(inside[i]));
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        CHECK(!http_is_inside_text(outside[i]));
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000001)};
    CHECK(http_is_inside_address((struct sockaddr *)&four));
    four.sin_addr.s_addr = htonl(0x01010101);
    CHECK(!http_is_inside_address((struct sockaddr *)&four));
    CHECK(http_is_inside_host("http://localhost:1/") && http_is_inside_host("https://[fe80::1%25eth0]/"));
    CHECK(!http_is_inside_host("https://huggingface.co/"));
}

static void targets_are_judged(void) {
    static const struct {
        const char *from, *url;
        bool allow_http;
        enum http_target target;
    } rows[] = {
        {NULL,                "https://h/x",             false, HTTP_TARGET_OK       },
        {NULL,                "http://127.0.0.1:8/x",    false, HTTP_TARGET_OK       },
        {NULL,                "http://h/x",              false, HTTP_TARGET_PLAIN    },
        {NULL,                "http://h/x",              true,  HTTP_TARGET_OK       },
        {"http://127.0.0.1/", "https://h/x",             false, HTTP_TARGET_OK       },
        {"https://h/",        "http://h/x",              true,  HTTP_TARGET_DOWNGRADE},
        {"https://h/",        "http://127.0.0.1/x",      true,  HTTP_TARGET_DOWNGRADE},
        {"https://h/",        "file:///etc/passwd",      true,  HTTP_TARGET_SCHEME   },
        {"https://h/",        "gopher://h/x",            true,  HTTP_TARGET_SCHEME   },
        {"https://h/",        "https://user:secret@h/x", true,  HTTP_TARGET_MALFORMED},
        {NULL,                "h/x",                     true,  HTTP_TARGET_MALFORMED},
        {NULL,                "",                        true,  HTTP_TARGET_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_NUMBER(http_judge_target(rows[i].from, rows[i].url, rows[i].allow_http), rows[i].target);
}

static void locations_are_resolved(void) {
    static const struct {
        const char *base, *location, *absolute;
    } rows[] = {
        {"https://h/a/b?q", "/c?d#e",              "https://h/c?d"      },
        {"https://h/a/b",   "c",                   "https://h/a/c"      },
        {"https://h/a",     "//other/x",           "https://other/x"    },
        {"https://h/a",     "http://o:81/x?y=%2F", "http://o:81/x?y=%2F"},
        {"https://h/a",     "?x",                  "https://h/a?x"      },
        {"https://h/a",     "https://user@o/",     NULL                 },
        {"https://h/a",     "https://o:99999/",    NULL                 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        TEXT_CLEANUP char *absolute = http_resolve(rows[i].base, rows[i].location);
        CHECK_TEXT(absolute, rows[i].absolute);
    }
}

/* ---- text */

static void segments_are_escaped(void) {
    struct buf BUF_CLEANUP to = BUF_INIT;
    CHECK_OK(http_encode(&to, "refs/pr/1", false));
    CHECK_TEXT(buf_text(&to), "refs%2Fpr%2F1");
    buf_clear(&to);
    CHECK_OK(http_encode(&to, "a b/\xc3\xa4?#%&+~_.-Z9", true));
    CHECK_TEXT(buf_text(&to), "a%20b/%C3%A4%3F%23%25%26%2B~_.-Z9");
}

static void urls_for_people_hold_no_secret(void) {
    char shown[32];
    http_url_for_people("https://h/a?sig=secret#x", shown, sizeof shown);
    CHECK_TEXT(shown, "https://h/a");
    http_url_for_people("https://user:pass@h:8/a@b", shown, sizeof shown);
    CHECK_TEXT(shown, "https://h:8/a@b");
    http_url_for_people("https://h?a@b", shown, sizeof shown);
    CHECK_TEXT(shown, "https://h");
    http_url_for_people("nonsense", shown, sizeof shown);
    CHECK_TEXT(shown, "nonsense");
    http_url_for_people("https://user@0123456789012345678901234567890123456789/", shown, sizeof shown);
    CHECK_TEXT(shown, "https://01234567890123456789012");
    http_url_for_people("https://h/", shown, 4);
    CHECK_TEXT(shown, "htt");
}

int main(void) {
    fields_are_found();
    doubtful_fields_are_absent();
    status_lines_are_read();
    content_ranges_are_exact();
    next_links_are_found();
    retry_after_is_understood();
    retry_after_may_be_a_date();
    origins_are_compared();
    loopback_is_known();
    addresses_of_the_inside_are_known();
    targets_are_judged();
    locations_are_resolved();
    segments_are_escaped();
    urls_for_people_hold_no_secret();
    return check_result();
}
