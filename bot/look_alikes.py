"""Letters that look like those from A to Z and are others."""

_CYRILLIC_AND_GREEK = (
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u03bf"
)
_SMALL_CAPITALS = (
    "\u1d00\u0299\u1d04\u1d05\u1d07\ua730\u0262\u029c\u026a\u1d0a\u1d0b\u029f"
    "\u1d0d\u0274\u1d0f\u1d18\u0280\ua731\u1d1b\u1d1c\u1d20\u1d21\u028f\u1d22"
)
LOOK_ALIKES = str.maketrans(
    _CYRILLIC_AND_GREEK + _SMALL_CAPITALS,
    "ABEKMHOPCTYXIJSABEZHIKMNOPTYXaeopcyxijso" + "abcdefghijklmnoprstuvwyz",
)
