extension Preprocessing {
    /// Fields of `preprocessor_config.json` that say who wrote it, or how its own library hands arrays over.
    private static let idleFields: Set<String> = [
        "image_processor_type", "feature_extractor_type", "processor_class", "_processor_class", "auto_map",
        "_valid_processor_keys", "_name_or_path", "transformers_version", "do_convert_rgb", "input_data_format",
        "return_tensors", "device", "disable_grouping",
    ]

    /// Reads Hugging Face's form. A `do_...` that is absent while its values are given is an error: its default differs
    /// between Hugging Face's classes. `do_rescale` alone is true when absent, as it is in all of them.
    static func huggingFace(_ fields: JSONFields) throws(PreprocessingError) -> Preprocessing {
        var fields = fields
        guard ["do_resize", "do_center_crop", "do_rescale", "do_normalize"].contains(where: fields.has) else {
            throw fields.error("do_normalize", "missing, as are do_resize, do_center_crop and do_rescale")
        }
        let resize = try resize(&fields)
        let crop = try crop(&fields)
        let (mean, deviation) = try normalization(&fields)
        let scale = try scale(&fields)
        let isFlipped = try fields.bool("do_flip_channel_order") ?? false
        for name in fields.rest {
            if idleFields.contains(name) {
                _ = fields.take(name)
            } else if name == "data_format" || name == "default_to_square" {
                // Read with `size`, or of no matter without it.
                if fields.take(name) == .string("channels_last") {
                    throw fields.error(name, "Martlet feeds channels first")
                }
            } else if fields.peek(name) == .bool(false) {
                _ = fields.take(name)
            }
        }
        try fields.checkNothingLeft()
        return try Preprocessing(
            resize: resize.resize, interpolation: resize.filter, crop: crop, scale: scale, mean: mean,
            standardDeviation: deviation, channels: isFlipped ? .bgr : .rgb)
    }

    /// Whether a step is done. Its values go unread if not.
    private static func isDone(
        _ step: String, _ fields: inout JSONFields, values: [String]
    ) throws(PreprocessingError) -> Bool {
        let isDone = try fields.bool(step)
        if isDone == nil, let value = values.first(where: fields.has) {
            throw fields.error(step, "missing, though \(value) is given")
        }
        if isDone != true { for value in values { _ = fields.take(value) } }
        return isDone ?? false
    }

    private static func resize(
        _ fields: inout JSONFields
    ) throws(PreprocessingError) -> (resize: Resize, filter: Interpolation) {
        guard try isDone("do_resize", &fields, values: ["size", "resample"]) else { return (.none, .bilinear) }
        guard let code = try fields.number("resample") else { throw fields.error("resample", "missing") }
        guard let integer = Int(exactly: code), let filter = Interpolation(pillowCode: integer) else {
            throw fields.error("resample", "\(code) is no filter of Pillow's (0 to 5)")
        }
        guard let size = fields.take("size") else { throw fields.error("size", "missing") }
        if let sides = try fields.sides("size", of: size, ["shortest_edge"]) {
            return (.shorterSide(sides[0]), filter)
        }
        if let sides = try fields.sides("size", of: size, ["width", "height"]) {
            return (.exact(width: sides[0], height: sides[1]), filter)
        }
        guard case .number(let number) = size, let side = Int(exactly: number) else {
            throw fields.error("size", "expected shortest_edge, or height and width, or a whole number")
        }
        // What a bare number means hangs on the class that reads it, unless the file says.
        switch try fields.bool("default_to_square") {
        case true: return (.exact(width: side, height: side), filter)
        case false: return (.shorterSide(side), filter)
        case nil where fields.peek("do_center_crop") == .bool(true):
            throw fields.error(
                "size", "a bare number with a centre crop: write {\"shortest_edge\": \(side)} or a height and a width")
        case nil: return (.exact(width: side, height: side), filter)
        }
    }

    private static func crop(_ fields: inout JSONFields) throws(PreprocessingError) -> Size? {
        guard try isDone("do_center_crop", &fields, values: ["crop_size"]) else { return nil }
        guard let size = fields.take("crop_size") else { throw fields.error("crop_size", "missing") }
        if let sides = try fields.sides("crop_size", of: size, ["width", "height"]) {
            return Size(width: sides[0], height: sides[1])
        }
        guard case .number(let number) = size, let side = Int(exactly: number) else {
            throw fields.error("crop_size", "expected height and width, or a whole number")
        }
        return Size(width: side, height: side)
    }

    private static func scale(_ fields: inout JSONFields) throws(PreprocessingError) -> Double {
        let isDone = try fields.bool("do_rescale") ?? true
        let factor = try fields.number("rescale_factor")
        return isDone ? factor ?? 1.0 / 255 : 1
    }

    private static func normalization(
        _ fields: inout JSONFields
    ) throws(PreprocessingError) -> (mean: [Double], deviation: [Double]) {
        guard try isDone("do_normalize", &fields, values: ["image_mean", "image_std"]) else { return ([0], [1]) }
        guard let mean = try fields.numbers("image_mean") else { throw fields.error("image_mean", "missing") }
        guard let deviation = try fields.numbers("image_std") else { throw fields.error("image_std", "missing") }
        return (mean, deviation)
    }
}
