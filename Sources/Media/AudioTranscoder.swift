// Sound of any codec → AAC.

import CFFmpeg
import CFFmpegShims

/// Used by one thread at a time.
final class AudioTranscoder {
    let timeBase: AVRational
    let parameters: UnsafeMutablePointer<AVCodecParameters>
    private let decoder: UnsafeMutablePointer<AVCodecContext>
    private let encoder: UnsafeMutablePointer<AVCodecContext>
    private let fifo: OpaquePointer
    private let frame: FramePixels
    private var resampler: OpaquePointer?
    /// Of the next sample that goes into the encoder, in samples from the timeline's zero; nil before the first.
    private var nextSample: Int64?
    private var isFinished = false

    /// A gap of more than a tenth of a second is filled with silence, so that sound stays with the picture.
    private static let toleratedGap = 10

    init(_ stream: UnsafeMutablePointer<AVStream>) throws(MediaError) {
        let source = stream.pointee.codecpar.pointee
        guard let codec = avcodec_find_decoder(source.codec_id), let aac = avcodec_find_encoder_by_name("aac") else {
            throw .noEncoder(names: ["aac"])
        }
        guard let decoder = avcodec_alloc_context3(codec), let encoder = avcodec_alloc_context3(aac),
            let parameters = avcodec_parameters_alloc()
        else { throw .outOfMemory(whatFor: "a sound encoder") }
        self.decoder = decoder
        self.encoder = encoder
        self.parameters = parameters
        frame = try FramePixels()
        let rate = source.sample_rate > 0 ? min(max(source.sample_rate, 8000), 48_000) : 48_000
        let channels: Int32 = source.ch_layout.nb_channels == 1 ? 1 : 2
        // One second to begin with; it grows where a decoder gives more at once.
        guard let fifo = av_audio_fifo_alloc(AV_SAMPLE_FMT_FLTP, channels, rate) else {
            throw .outOfMemory(whatFor: "sound")
        }
        self.fifo = fifo
        encoder.pointee.sample_rate = Self.supported(rate)
        timeBase = AVRational(num: 1, den: encoder.pointee.sample_rate)

        avcodec_parameters_to_context(decoder, stream.pointee.codecpar)
        decoder.pointee.pkt_timebase = stream.pointee.time_base
        var code = avcodec_open2(decoder, codec, nil)
        if code < 0 { throw .libraryFailed(operation: "opening the sound's decoder", code: code) }

        av_channel_layout_default(&encoder.pointee.ch_layout, channels)
        encoder.pointee.sample_fmt = AV_SAMPLE_FMT_FLTP
        encoder.pointee.bit_rate = 64_000 * Int64(channels)
        encoder.pointee.time_base = timeBase
        encoder.pointee.flags |= Int32(AV_CODEC_FLAG_GLOBAL_HEADER)
        code = avcodec_open2(encoder, aac, nil)
        if code < 0 { throw .libraryFailed(operation: "opening the AAC encoder", code: code) }
        avcodec_parameters_from_context(parameters, encoder)
    }

    deinit {
        var contexts: [UnsafeMutablePointer<AVCodecContext>?] = [decoder, encoder]
        for index in contexts.indices { avcodec_free_context(&contexts[index]) }
        var freeing: UnsafeMutablePointer<AVCodecParameters>? = parameters
        avcodec_parameters_free(&freeing)
        av_audio_fifo_free(fifo)
        swr_free(&resampler)
    }

    /// AAC knows a list of rates.
    private static func supported(_ rate: Int32) -> Int32 {
        [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100].first { $0 >= rate } ?? 48_000
    }

    /// Packets that cannot be decoded are left out. `shift` is the timeline's zero in the packet's time base.
    func transcode(
        _ packet: Packet, shiftedBy shift: Int64, _ take: (Packet) throws(MediaError) -> Void
    ) throws(MediaError) {
        guard avcodec_send_packet(decoder, packet.raw) >= 0 else { return }
        try drainDecoder(shiftedBy: shift, take)
    }

    func finish(_ take: (Packet) throws(MediaError) -> Void) throws(MediaError) {
        if isFinished { return }
        isFinished = true
        avcodec_send_packet(decoder, nil)
        try drainDecoder(shiftedBy: nil, take)
        try encodeBuffered(includingRest: true, take)
        try encode(nil, take)
    }

    private func drainDecoder(shiftedBy shift: Int64?, _ take: (Packet) throws(MediaError) -> Void) throws(MediaError) {
        while avcodec_receive_frame(decoder, frame.raw) >= 0 {
            defer { av_frame_unref(frame.raw) }
            try place(shiftedBy: shift)
            try resample()
            try encodeBuffered(includingRest: false, take)
        }
    }

    /// Keeps the count of samples with the frame's time stamp: silence where some are missing.
    private func place(shiftedBy shift: Int64?) throws(MediaError) {
        let stamp = frame.raw.pointee.best_effort_timestamp
        guard let shift, stamp != cff_no_pts() else {
            nextSample = nextSample ?? 0
            return
        }
        let start = av_rescale_q(stamp - shift, decoder.pointee.pkt_timebase, timeBase)
        guard let next = nextSample else {
            nextSample = start
            return
        }
        let buffered = Int64(av_audio_fifo_size(fifo))
        let gap = start - (next + buffered)
        let rate = Int64(encoder.pointee.sample_rate)
        // A minute of silence at most: more is a damaged time stamp.
        guard gap > rate / Int64(Self.toleratedGap), gap < 60 * rate else { return }
        try bufferSilence(samples: Int(gap))
    }

    private func bufferSilence(samples: Int) throws(MediaError) {
        let silence = try audioFrame(samples: samples)
        av_samples_set_silence(
            silence.raw.pointee.extended_data, 0, Int32(samples), encoder.pointee.ch_layout.nb_channels,
            AV_SAMPLE_FMT_FLTP)
        try buffer(silence, samples: samples)
    }

    private func resample() throws(MediaError) {
        let source = frame.raw.pointee
        var layout = source.ch_layout
        if layout.order == AV_CHANNEL_ORDER_UNSPEC { av_channel_layout_default(&layout, layout.nb_channels) }
        if resampler == nil {
            swr_alloc_set_opts2(
                &resampler, &encoder.pointee.ch_layout, AV_SAMPLE_FMT_FLTP, encoder.pointee.sample_rate, &layout,
                AVSampleFormat(rawValue: source.format), source.sample_rate, 0, nil)
            let code = swr_init(resampler)
            if code < 0 { throw .libraryFailed(operation: "converting the sound", code: code) }
        }
        let capacity = swr_get_out_samples(resampler, source.nb_samples)
        guard capacity > 0 else { return }
        let output = try audioFrame(samples: Int(capacity))
        // A decoder that changes its format half-way would make FFmpeg read past its planes.
        guard source.format == decoder.pointee.sample_fmt.rawValue,
            source.ch_layout.nb_channels == decoder.pointee.ch_layout.nb_channels
        else { return }
        var input = (0..<Int(max(source.ch_layout.nb_channels, 1))).map { index -> UnsafePointer<UInt8>? in
            av_sample_fmt_is_planar(AVSampleFormat(rawValue: source.format)) != 0 || index == 0
                ? source.extended_data[index].map { UnsafePointer($0) } : nil
        }
        let samples = swr_convert(resampler, output.raw.pointee.extended_data, capacity, &input, source.nb_samples)
        if samples > 0 { try buffer(output, samples: Int(samples)) }
    }

    private func buffer(_ sound: FramePixels, samples: Int) throws(MediaError) {
        let written = sound.raw.pointee.extended_data.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: 2)
        {
            av_audio_fifo_write(fifo, $0, Int32(samples))
        }
        if written < samples { throw .outOfMemory(whatFor: "sound") }
    }

    private func encodeBuffered(includingRest: Bool, _ take: (Packet) throws(MediaError) -> Void) throws(MediaError) {
        let size = Int(max(encoder.pointee.frame_size, 1))
        while true {
            let samples = min(Int(av_audio_fifo_size(fifo)), size)
            guard samples == size || (includingRest && samples > 0) else { return }
            let sound = try audioFrame(samples: samples)
            _ = sound.raw.pointee.extended_data.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: 2) {
                av_audio_fifo_read(fifo, $0, Int32(samples))
            }
            let at = nextSample ?? 0
            sound.raw.pointee.pts = at
            nextSample = at + Int64(samples)
            try encode(sound, take)
        }
    }

    private func encode(_ sound: FramePixels?, _ take: (Packet) throws(MediaError) -> Void) throws(MediaError) {
        let code = avcodec_send_frame(encoder, sound?.raw)
        if code < 0 { throw .libraryFailed(operation: "encoding the sound", code: code) }
        while true {
            let packet = try Packet()
            guard avcodec_receive_packet(encoder, packet.raw) >= 0 else { return }
            try take(packet)
        }
    }

    private func audioFrame(samples: Int) throws(MediaError) -> FramePixels {
        let made = try FramePixels()
        made.raw.pointee.nb_samples = Int32(samples)
        made.raw.pointee.format = AV_SAMPLE_FMT_FLTP.rawValue
        made.raw.pointee.sample_rate = encoder.pointee.sample_rate
        av_channel_layout_copy(&made.raw.pointee.ch_layout, &encoder.pointee.ch_layout)
        if av_frame_get_buffer(made.raw, 0) < 0 { throw .outOfMemory(whatFor: "sound") }
        return made
    }
}
