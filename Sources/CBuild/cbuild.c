#include "cbuild.h"

#ifndef EMOTIOND_COMMIT
#define EMOTIOND_COMMIT "unknown"
#endif

const char *cbuild_commit(void) { return EMOTIOND_COMMIT; }
