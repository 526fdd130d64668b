#include "cffmpeg_shims.h"

#include <libavutil/avutil.h>
#include <libavutil/error.h>

int cff_error_of_errno(int errnum) { return AVERROR(errnum); }

/* FFmpeg's own codes are negated four-character tags, far above any errno. */
int cff_errno_of_error(int code) { return code < 0 && AVUNERROR(code) < 4096 ? AVUNERROR(code) : 0; }

int cff_error_eof(void) { return AVERROR_EOF; }
int cff_error_exit(void) { return AVERROR_EXIT; }
int cff_error_invalid_data(void) { return AVERROR_INVALIDDATA; }
int64_t cff_no_pts(void) { return AV_NOPTS_VALUE; }
