/* OpenCV as plain C, for Faces and Overlay: the only door to it.
 *
 * No exception leaves: each function catches what OpenCV throws (it throws for ordinary bad input) and returns a
 * status; where it takes an `ocv_error`, that holds OpenCV's words. Planes are borrowed for the time of the call.
 * A handle may be used by one thread at a time; different handles by different threads. */
#ifndef COPENCV_H
#define COPENCV_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define OCV_NOEXCEPT noexcept
extern "C" {
#else
#define OCV_NOEXCEPT
#endif

typedef enum {
    ocv_ok = 0,
    ocv_failed = 1,        /* OpenCV threw; the error holds its message */
    ocv_out_of_memory = 2,
    ocv_unreadable = 3,    /* the file cannot be opened or read */
    ocv_too_large = 4      /* the file is larger than any model this program is meant for */
} ocv_status;

/* Always ends in NUL; empty where there is nothing to say. */
typedef struct { char text[400]; } ocv_error;

/* 8-bit samples: `height` rows of `width`, `stride_bytes` apart. */
typedef struct {
    const uint8_t *_Nonnull base;
    int32_t width, height;
    int64_t stride_bytes;
} ocv_plane;

typedef struct {
    uint8_t *_Nonnull base;
    int32_t width, height;
    int64_t stride_bytes;
} ocv_mutable_plane;

/* --- process-wide --- */

/* Threads that OpenCV may use in one call, and its own complaints off stderr. */
ocv_status ocv_configure(int32_t threads) OCV_NOEXCEPT;
const char *_Nonnull ocv_version(void) OCV_NOEXCEPT;

/* --- networks (cv::dnn) --- */

typedef struct ocv_net ocv_net;

ocv_status ocv_net_read_file(const char *_Nonnull path, ocv_net *_Nullable *_Nonnull net,
                             ocv_error *_Nonnull error) OCV_NOEXCEPT;
ocv_status ocv_net_read_bytes(const uint8_t *_Nonnull bytes, size_t count, ocv_net *_Nullable *_Nonnull net,
                              ocv_error *_Nonnull error) OCV_NOEXCEPT;
void ocv_net_free(ocv_net *_Nullable net) OCV_NOEXCEPT;

size_t ocv_net_output_count(const ocv_net *_Nonnull net) OCV_NOEXCEPT;
/* Lives as long as the net; an empty string past the last. */
const char *_Nonnull ocv_net_output_name(const ocv_net *_Nonnull net, size_t index) OCV_NOEXCEPT;

/* Runs on batch x channels x height x width floats, without gaps. */
ocv_status ocv_net_run(ocv_net *_Nonnull net, const float *_Nonnull input, int32_t batch, int32_t channels,
                       int32_t height, int32_t width, ocv_error *_Nonnull error) OCV_NOEXCEPT;
/* Runs on a grey picture in three equal channels, values 0...255, padded with black at the right and the bottom to
 * multiples of `multiple`. */
ocv_status ocv_net_run_luma(ocv_net *_Nonnull net, ocv_plane luma, int32_t multiple,
                            ocv_error *_Nonnull error) OCV_NOEXCEPT;
/* Runs on a grey picture in one channel, (v - mean) * scale, in the upper left of `width` x `height`; what it does
 * not cover is 0. */
ocv_status ocv_net_run_grey(ocv_net *_Nonnull net, ocv_plane luma, int32_t width, int32_t height, float mean,
                            float scale, ocv_error *_Nonnull error) OCV_NOEXCEPT;
/* What the last run gave for output `index`: valid until the next run. Null and 0 where there is none. */
const float *_Nullable ocv_net_output(const ocv_net *_Nonnull net, size_t index,
                                      size_t *_Nonnull count) OCV_NOEXCEPT;

/* --- face detectors of cv::objdetect --- */

typedef struct {
    float x, y, width, height;
    float points[10]; /* right eye, left eye, nose, right and left corner of the mouth */
    float score;      /* YuNet: 0...1; cascade: how many raw windows agree */
} ocv_face;

typedef struct ocv_yunet ocv_yunet;

/* cv::FaceDetectorYN, which in 4.6 reads the model of 2022 only. */
ocv_status ocv_yunet_read(const char *_Nonnull path, float overlap, ocv_yunet *_Nullable *_Nonnull detector,
                          ocv_error *_Nonnull error) OCV_NOEXCEPT;
void ocv_yunet_free(ocv_yunet *_Nullable detector) OCV_NOEXCEPT;
/* Writes at most `capacity` faces and sets `count` to how many. */
ocv_status ocv_yunet_detect(ocv_yunet *_Nonnull detector, ocv_plane luma, float minimum_score,
                            ocv_face *_Nonnull faces, size_t capacity, size_t *_Nonnull count,
                            ocv_error *_Nonnull error) OCV_NOEXCEPT;

typedef struct ocv_cascade ocv_cascade;

ocv_status ocv_cascade_read(const char *_Nonnull path, ocv_cascade *_Nullable *_Nonnull cascade,
                            ocv_error *_Nonnull error) OCV_NOEXCEPT;
void ocv_cascade_free(ocv_cascade *_Nullable cascade) OCV_NOEXCEPT;
ocv_status ocv_cascade_detect(ocv_cascade *_Nonnull cascade, ocv_plane luma, double scale_step, int32_t neighbours,
                              int32_t minimum_side, ocv_face *_Nonnull faces, size_t capacity,
                              size_t *_Nonnull count, ocv_error *_Nonnull error) OCV_NOEXCEPT;

/* --- boxes --- */

/* cv::dnn::NMSBoxes, to compare our own suppression with: boxes are x, y, width, height. Writes the places of what
 * is kept, best first, at most `count`, and sets `kept` to how many. */
ocv_status ocv_suppress(const float *_Nonnull boxes, const float *_Nonnull scores, size_t count, float overlap,
                        int32_t *_Nonnull places, size_t *_Nonnull kept, ocv_error *_Nonnull error) OCV_NOEXCEPT;

/* --- pixels --- */

/* From the whole of one plane to the whole of the other: the average of the area where that makes a side less than
 * a third, else linear. */
ocv_status ocv_resize(ocv_plane source, ocv_mutable_plane target, ocv_error *_Nonnull error) OCV_NOEXCEPT;
/* target[i] = table[source[i]], of equal size; the same plane may be both. */
ocv_status ocv_lookup(ocv_plane source, const uint8_t *_Nonnull table, ocv_mutable_plane target,
                      ocv_error *_Nonnull error) OCV_NOEXCEPT;

/* Text in the one sans-serif stroke font that OpenCV has (ASCII; other characters come out as '?'), its capitals
 * `height` pixels high, its base line at `y`; parts outside the plane are cut. An outline of `outline_value`, if
 * `outline` > 0, lies that many pixels around. */
typedef struct {
    double height;
    int32_t thickness;
    int32_t outline;
    uint8_t value, outline_value;
} ocv_text_style;

ocv_status ocv_put_text(ocv_mutable_plane plane, const char *_Nonnull text, int32_t x, int32_t y,
                        ocv_text_style style) OCV_NOEXCEPT;
/* Width in pixels of `text` at that height; 0 where it cannot be known. */
int32_t ocv_text_width(const char *_Nonnull text, double height, int32_t thickness) OCV_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
