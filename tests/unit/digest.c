/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "outside/digest.h"

static void kinds_are_told_by_their_form(void) {
    static const struct {
        const char *text;
        enum digest_kind kind;
    } ROWS[] = {
        {"sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  DIGEST_SHA256},
        {"git-e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",                             DIGEST_GIT   },
        {"md5-d41d8cd98f00b204e9800998ecf8427e",                                     DIGEST_MD5   },
        {"",                                                                         DIGEST_NONE  },
        {"sha256-",                                                                  DIGEST_NONE  },
        {"sha256-****************************************************************",  DIGEST_NONE  },
        {"sha256-E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",  DIGEST_NONE  },
        {"sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",   DIGEST_NONE  },
        {"sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550", DIGEST_NONE  },
        {"sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 ", DIGEST_NONE  },
        {"git-d41d8cd98f00b204e9800998ecf8427e",                                     DIGEST_NONE  },
        {"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",                                 DIGEST_NONE  },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        CHECK_NUMBER(digest_kind_of(ROWS[i].text), ROWS[i].kind);
    CHECK(digest_is_hex("", 0));
    CHECK(digest_is_hex("0af", 3));
    CHECK(!digest_is_hex("0af", 2));
    CHECK(!digest_is_hex("0af", 4));
    CHECK(!digest_is_hex("0aF", 3));
}

/* `printf abc | sha256sum`, `printf abc | git hash-object --stdin`, `printf abc | md5sum`. */
static const char SHA256_ABC[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void digests_are_right_in_pieces(void) {
    static const struct {
        enum digest_kind promised;
        const char *text;
    } ROWS[] = {
        {DIGEST_NONE,   "sha256-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {DIGEST_SHA256, "sha256-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {DIGEST_GIT,    "git-f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f"                           },
        {DIGEST_MD5,    "md5-900150983cd24fb0d6963f7d28e17f72"                                   },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char own[SHA256_HEX_SIZE], promised[DIGEST_TEXT_SIZE];
        struct digest *digest = digest_new(ROWS[i].promised, 3);
        digest_add(digest, "a", 1);
        digest_add(digest, NULL, 0);
        digest_add(digest, "bc", 2);
        digest_end(digest, own, promised);
        digest_free(digest);
        CHECK_TEXT(own, SHA256_ABC);
        CHECK_TEXT(promised, ROWS[i].text);
        if (ROWS[i].promised)
            CHECK_NUMBER(digest_kind_of(promised), ROWS[i].promised);
    }
}

static void the_empty_file_has_its_digests(void) {
    char own[SHA256_HEX_SIZE], promised[DIGEST_TEXT_SIZE];
    struct digest *digest = digest_new(DIGEST_GIT, 0);
    digest_end(digest, own, promised);
    digest_free(digest);
    CHECK_TEXT(promised, "git-e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    digest_of("", 0, own);
    CHECK_TEXT(own, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_of("abc", 3, own);
    CHECK_TEXT(own, SHA256_ABC);
    digest_free(digest_new(DIGEST_MD5, 1));
    digest_free(NULL);
}

int main(void) {
    kinds_are_told_by_their_form();
    digests_are_right_in_pieces();
    the_empty_file_has_its_digests();
    return check_result();
}
